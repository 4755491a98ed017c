"""The rules of one policy, ready to judge: each returns why it refuses a value, or None."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from antiphon.policies.hosts import DATA_URL, host_of, is_internal
from antiphon.schema.policy_subjects import SubjectKind
from antiphon.settings.policy import EFFORTS, Policy
from antiphon.settings.targets import matches_pattern

MAX_VALUE_CHARS = 100  # of a value in a message
INTERNAL = "the host '{}' is a local or private address"
NO_HOST = "it is not an http or https URL whose host is certain"

type Check = Callable[[Any], str | None]


@dataclass(frozen=True)
class Rule:
    """One key of a policy; `label` names it as in gateway.toml: `[policies.eu] mcp_hosts`."""

    label: str
    check: Check


@dataclass(frozen=True, eq=False, repr=False)
class Rules:
    """A policy by what its rules judge."""

    section: str  # of gateway.toml, in brackets
    policy: Policy
    by_kind: Mapping[SubjectKind, Sequence[Rule]]

    def label(self, key: str) -> str:
        return f"{self.section} {key}"

    def permits_target(self, name: str) -> bool:
        patterns = self.policy.targets
        return patterns is None or _matches_any(patterns, name)


def compile_rules(section: str, policy: Policy) -> Rules:
    by_kind: dict[SubjectKind, list[Rule]] = {}
    for kind, key, check in _checks(policy):
        by_kind.setdefault(kind, []).append(Rule(f"{section} {key}", check))
    return Rules(section, policy, by_kind)


def _checks(policy: Policy) -> Iterator[tuple[SubjectKind, str, Check]]:
    yield from _tool_checks(policy)
    yield from _server_checks(policy)
    if policy.url_hosts is not None:
        yield "url", "url_hosts", partial(_url_refusal, policy.url_hosts)
    if policy.max_effort is not None:
        yield "effort", "max_effort", partial(_effort_refusal, policy.max_effort)


def _tool_checks(policy: Policy) -> Iterator[tuple[SubjectKind, str, Check]]:
    if policy.tools is not None:
        yield "tool", "tools", partial(_name_refusal, policy.tools, "a tool of the type")
    if policy.deny_tools is not None:
        yield (
            "tool",
            "deny_tools",
            partial(_denial, [each.casefold() for each in policy.deny_tools]),
        )


def _server_checks(policy: Policy) -> Iterator[tuple[SubjectKind, str, Check]]:
    if policy.mcp_hosts is not None:
        yield "mcp_url", "mcp_hosts", partial(_host_refusal, policy.mcp_hosts)
        if policy.connectors is None:  # it has no host that could be allowed
            yield "connector", "mcp_hosts", partial(_name_refusal, [], "the connector")
    if policy.mcp_labels is not None:
        yield "mcp_label", "mcp_labels", partial(_name_refusal, policy.mcp_labels, "the label")
    if policy.connectors is not None:
        yield "connector", "connectors", partial(_name_refusal, policy.connectors, "the connector")


def _name_refusal(allowed: Sequence[str], what: str, value: object) -> str | None:
    if isinstance(value, str) and _matches_any(allowed, value):
        return None
    return f"{what} {_show(value)} is not allowed; {_list(allowed)}"


def _denial(denied: Sequence[str], value: object) -> str | None:
    if isinstance(value, str) and not _matches_any(denied, value.casefold()):
        return None
    return f"a tool of the type {_show(value)} is not allowed"


def _url_refusal(allowed: Sequence[str], value: object) -> str | None:
    """Data URLs pass: nothing is fetched for them."""
    if isinstance(value, str) and DATA_URL.match(value):
        return None
    return _host_refusal(allowed, value)


def _host_refusal(allowed: Sequence[str], value: object) -> str | None:
    host = host_of(value) if isinstance(value, str) else None
    if host is None:
        return NO_HOST
    if is_internal(host):
        return INTERNAL.format(host[:MAX_VALUE_CHARS])
    if _matches_any(allowed, host):
        return None
    return f"the host {_show(host)} is not allowed; {_list(allowed)}"


def _effort_refusal(highest: str, value: object) -> str | None:
    """Refuse what has no place in the order, too: it may be higher than all of them."""
    allowed = EFFORTS[: EFFORTS.index(highest) + 1]
    return None if value in allowed else f"{_show(value)} is not allowed; {_list(allowed)}"


def _matches_any(patterns: Sequence[str], value: str) -> bool:
    return value in patterns or any(matches_pattern(pattern, value) for pattern in patterns)


def _show(value: object) -> str:
    return repr(value[:MAX_VALUE_CHARS]) if isinstance(value, str) else "(no text)"


def _list(allowed: Sequence[str]) -> str:
    return f"allowed: {', '.join(allowed) or 'none'}"
