"""What a parsed request body violates of some policies; nothing else is read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from antiphon.errors import PolicyViolation
from antiphon.policies.rules import Rules
from antiphon.schema.policy_subjects import Subject, SubjectKind, path_of, policy_subjects

# A create or a line of a batch, whose body may be changed or not; items of a conversation; others.
type BodyKind = Literal["create", "batch_line", "conversation", "other"]
type Check = Callable[["PolicyBody", Rules], Iterator["Violation"]]

INPUTS = ("input", "instructions", "items", "prompt")
STORES = 'it is stored by the provider; send "store": false'


class Violation(NamedTuple):
    path: str  # in the body
    rule: str  # as in gateway.toml: `[policies.eu] mcp_hosts`
    reason: str

    @property
    def error(self) -> PolicyViolation:
        message = f"'{self.path}' violates the policy {self.rule}: {self.reason}."
        return PolicyViolation(message, param=self.path)


class PolicyBody(NamedTuple):
    """A parsed body; `size` is that of its JSON in bytes, which its texts cannot exceed."""

    kind: BodyKind
    members: Mapping[str, Any]
    size: int


def find_violations(body: PolicyBody, policies: Sequence[Rules]) -> Iterator[Violation]:
    """Yield what the body violates; the first one costs the least to find."""
    for rules in policies:
        for check in CHECKS:
            yield from check(body, rules)
    judged = [rules for rules in policies if rules.by_kind]
    if judged:
        yield from _nested_violations(body, judged)


def _nested_violations(body: PolicyBody, policies: Sequence[Rules]) -> Iterator[Violation]:
    allowed: set[tuple[SubjectKind, str]] = set()  # most tools have the same type
    for subject in policy_subjects(body.members):
        kind, value, _ = subject
        if type(value) is str and (kind, value) in allowed:
            continue
        found = [*_judge(subject, policies)]
        yield from found
        if type(value) is str and not found:
            allowed.add((kind, value))


def _judge(subject: Subject, policies: Sequence[Rules]) -> Iterator[Violation]:
    kind, value, steps = subject
    for rules in policies:
        for rule in rules.by_kind.get(kind, ()):
            reason = rule.check(value)
            if reason is not None:
                yield Violation(path_of(steps), rule.label, reason)


def _size(body: PolicyBody, rules: Rules) -> Iterator[Violation]:
    maximum = rules.policy.max_input_bytes
    if maximum is None or body.size <= maximum:
        return
    size = sum(_text_bytes(body.members.get(name)) for name in INPUTS)
    if size > maximum:
        reason = f"it has {size:,} bytes; the maximum is {maximum:,}"
        name = next(name for name in INPUTS if name in body.members)
        yield Violation(name, rules.label("max_input_bytes"), reason)


def _text_bytes(value: Any) -> int:
    """Return the bytes of all texts in a value, without the names of members."""
    size, nodes = 0, [value]
    while nodes:
        node = nodes.pop()
        if isinstance(node, str):
            size += len(node.encode("utf-8", "surrogatepass"))
        elif isinstance(node, dict | list):
            nodes += node.values() if isinstance(node, dict) else node
    return size


def _store(body: PolicyBody, rules: Rules) -> Iterator[Violation]:
    """A conversation stores all its items, whatever `store` is."""
    storing = rules.policy.store
    if storing is None or body.kind == "other":
        return
    is_create = body.kind != "conversation"
    changes = storing == "force_false" and body.kind == "create"
    if is_create and not changes and body.members.get("store") is not False:
        yield Violation("store", rules.label("store"), STORES)
    name = "conversation" if is_create else "items"
    if body.members.get(name):
        yield Violation(name, rules.label("store"), "a conversation stores what is in it")


def _background(body: PolicyBody, rules: Rules) -> Iterator[Violation]:
    if not rules.policy.background and body.members.get("background") is True:
        reason = "background responses are not allowed"
        yield Violation("background", rules.label("background"), reason)


def _service_tier(body: PolicyBody, rules: Rules) -> Iterator[Violation]:
    """A request that names no tier gets that of the provider's project."""
    tier, allowed = body.members.get("service_tier"), rules.policy.service_tiers
    if allowed is not None and tier is not None and tier not in allowed:
        reason = f"{str(tier)[:100]!r} is not allowed; allowed: {', '.join(allowed) or 'none'}"
        yield Violation("service_tier", rules.label("service_tiers"), reason)


CHECKS: tuple[Check, ...] = (_store, _background, _service_tier, _size)
