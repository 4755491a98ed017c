"""Response headers that a caller may use."""

from collections.abc import Iterable

from infra.reference.schemas import OURS, Schema

TEXT: Schema = {"type": "string"}
HEADERS: dict[str, Schema] = {
    "retry-after": {
        "description": "Seconds to wait before the next try.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "x-antiphon-attempts": {
        "description": "The number of requests to providers. More than one: a target that "
        "certainly did not process the request was followed by the next, or called again.",
        "schema": {"type": "integer", "minimum": 1},
        **OURS,
    },
    "x-antiphon-consistency": {
        "description": "`eventual`: what was written in the last second may be missing.",
        "schema": TEXT,
        **OURS,
    },
    "x-antiphon-replayed": {
        "description": "`true`: nothing was sent; this is the outcome of an earlier request with "
        "the same `Idempotency-Key`.",
        "schema": {"type": "string", "enum": ["true"]},
        **OURS,
    },
    "x-antiphon-request-id": {
        "description": "Identifies this request in the gateway's logs. Every answer has it.",
        "schema": TEXT,
        **OURS,
    },
    "x-antiphon-rewrote": {
        "description": "Parameters that were sent under another name or with another value: "
        "`max_tokens=max_output_tokens`, `store=false` (by a policy).",
        "schema": TEXT,
        **OURS,
    },
    "x-antiphon-target": {
        "description": "The target of `gateway.toml` that answered. Absent if none was called.",
        "schema": TEXT,
        **OURS,
    },
    "x-ratelimit-remaining-requests": {
        "description": "One of the provider's `x-ratelimit-*` headers; all of them pass.",
        "schema": TEXT,
    },
    "x-request-id": {
        "description": "The provider's id of this request; the gateway's own if none was called.",
        "schema": TEXT,
    },
    "x-should-retry": {
        "description": "Whether OpenAI's clients may repeat the request by themselves: `false` "
        "where it may have been processed, so that it is not paid twice.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    },
}
ALWAYS = ("x-antiphon-request-id", "x-request-id")
FROM_PROVIDER = (
    *ALWAYS,
    "x-antiphon-attempts",
    "x-antiphon-target",
    "x-ratelimit-remaining-requests",
)
PASSED = (*ALWAYS, "x-antiphon-attempts", "x-antiphon-target", "retry-after", "x-should-retry")


def header_refs(names: Iterable[str]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}
