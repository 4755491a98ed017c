"""Headers of answers that a caller may act on."""

from collections.abc import Iterable

from infra.reference.schemas import OURS, Schema

TEXT: Schema = {"type": "string"}
HEADERS: dict[str, Schema] = {
    "retry-after": {
        "description": "Seconds to wait before the next try.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "x-antiphon-attempts": {
        "description": "How many requests to providers it took. More than one: a target that "
        "certainly began nothing was followed by the next, or asked again.",
        "schema": {"type": "integer", "minimum": 1},
        **OURS,
    },
    "x-antiphon-consistency": {
        "description": "`eventual`: what was written this second may be missing still.",
        "schema": TEXT,
        **OURS,
    },
    "x-antiphon-replayed": {
        "description": "`true`: nothing was sent; this is what an earlier request with the same "
        "`Idempotency-Key` came to.",
        "schema": {"type": "string", "enum": ["true"]},
        **OURS,
    },
    "x-antiphon-request-id": {
        "description": "Names this call in the gateway's logs. Every answer has it.",
        "schema": TEXT,
        **OURS,
    },
    "x-antiphon-rewrote": {
        "description": "Which parameters went to the provider under another name: "
        "`max_tokens=max_output_tokens`.",
        "schema": TEXT,
        **OURS,
    },
    "x-antiphon-target": {
        "description": "The target of `gateway.toml` that answered. Absent where none was asked.",
        "schema": TEXT,
        **OURS,
    },
    "x-ratelimit-remaining-requests": {
        "description": "One of the provider's `x-ratelimit-*` headers; all of them pass.",
        "schema": TEXT,
    },
    "x-request-id": {
        "description": "The provider's name of this call; the gateway's own where none was asked.",
        "schema": TEXT,
    },
    "x-should-retry": {
        "description": "Whether OpenAI's clients may send the request again by themselves: `false` "
        "where it may have been processed, so that nobody pays twice.",
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


def told(names: Iterable[str]) -> Schema:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in sorted(names)}
