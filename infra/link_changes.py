"""Which changes of the table invoke the rollup function, as event filters of Lambda.

The stack gives them to AWS, and the local gateway applies them itself:
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from collections.abc import Mapping
from typing import Any

type Pattern = Mapping[str, Any]
type Rule = str | Mapping[str, list[str]]  # a value, or {"anything-but": values}

# The rollup function writes rows derived from links; those rows must not invoke it again.
OF_LINKS: Pattern = {"Keys": {"sk": {"S": ["LINK"]}}}
# Links are removed when they expire. That changes nothing for a response which was counted when it
# ended, so the function is not invoked for it: most links expire like that.
ENDED = ["completed", "failed", "incomplete", "cancelled"]
PATTERNS: list[Pattern] = [
    {"eventName": ["INSERT", "MODIFY"], "dynamodb": OF_LINKS},
    {"dynamodb": {**OF_LINKS, "OldImage": {"kind": {"S": [{"anything-but": ["response"]}]}}}},
    {"dynamodb": {**OF_LINKS, "OldImage": {"status": {"S": [{"anything-but": ENDED}]}}}},
]  # one of them has to fit


def invokes_rollup(record: Mapping[str, Any]) -> bool:
    """Whether a record of the table's stream fits one of the patterns."""
    return any(_fits(pattern, record) for pattern in PATTERNS)


def _fits(pattern: Any, value: Any) -> bool:
    """An object fits by all of its members, a value by one of the rules; none of it is optional."""
    if isinstance(pattern, Mapping):
        return isinstance(value, Mapping) and all(
            _fits(member, value.get(name)) for name, member in pattern.items()
        )
    return value is not None and any(_obeys(rule, value) for rule in pattern)


def _obeys(rule: Rule, value: str) -> bool:
    if isinstance(rule, str):
        return value == rule
    return value not in rule["anything-but"]
