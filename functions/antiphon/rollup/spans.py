"""Spans of OpenTelemetry: what each response was, by the GenAI semantic conventions.

A span has names, numbers and ids, and no content. It is encoded as OTLP's JSON has it: ids are
hexadecimal, and 64-bit integers are strings.
https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/openai.md
https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from antiphon.settings.targets import Target
from antiphon.store.links import Link
from antiphon.upstream.otlp import SpanExporter

CLIENT, ERROR = 3, 2  # numbers of OTLP's SpanKind and StatusCode
PROVIDERS = {"openai": "openai", "azure": "azure.ai.openai", "bedrock": "aws.bedrock"}
PORTS = {"https": 443, "http": 80}
SAMPLED = 1  # a bit of the flags in `traceparent`
NS_PER_MS = 1_000_000
TOKENS = {  # the attribute of each number in a provider's `usage`, by its path there
    "gen_ai.usage.input_tokens": ("input_tokens",),
    "gen_ai.usage.cache_read.input_tokens": ("input_tokens_details", "cached_tokens"),
    "gen_ai.usage.output_tokens": ("output_tokens",),
    "gen_ai.usage.reasoning.output_tokens": ("output_tokens_details", "reasoning_tokens"),
}

type Json = dict[str, Any]


@dataclass(frozen=True)
class SpanBuffer:
    """Collects the spans of responses, and exports them together; without an exporter, none."""

    targets: Mapping[str, Target]
    exporter: SpanExporter | None = None
    _spans: list[Json] = field(default_factory=list)

    def add(self, link: Link) -> None:
        """Add the span of a response that was counted for the first time."""
        if self.exporter is None or link.kind != "response" or not is_sampled(link):
            return
        self._spans.append(encode_span(link, self.targets.get(link.target)))

    def flush(self) -> None:
        """Export all spans; raise nothing: their responses are counted already."""
        if self.exporter is not None and self._spans:
            self.exporter.export(tuple(self._spans))
        self._spans.clear()


def is_sampled(link: Link) -> bool:
    """Whether the caller's trace is recorded; a response outside of a trace always is."""
    return link.trace_parent is None or bool(int(link.trace_parent[-2:], 16) & SAMPLED)


def encode_span(link: Link, target: Target | None) -> Json:
    """Return the span of a response, as a child of the caller's span where it named one.

    The ids depend on the response alone: a span that is sent twice is the same span.
    """
    digest = sha256(f"{link.tenant} {link.id} {link.request_id}".encode()).hexdigest()
    span: Json = {"traceId": digest[:32], "spanId": digest[32:48]}
    if link.trace_parent is not None:
        _, trace, parent, flags = link.trace_parent.split("-")
        span |= {"traceId": trace, "parentSpanId": parent, "flags": int(flags, 16)}
    started = link.started_ms or link.created_ms
    ended = max(link.ended_ms or (link.completed_at or 0) * 1000, started)
    error = _error_type(link)
    return {
        **span,
        "name": f"chat {link.model}" if link.model else "chat",
        "kind": CLIENT,
        "startTimeUnixNano": str(started * NS_PER_MS),
        "endTimeUnixNano": str(ended * NS_PER_MS),
        "attributes": encode_attributes(dict(_attributes(link, target, error))),
        "status": {"code": ERROR} if error else {},
    }


def encode_attributes(attributes: Mapping[str, object]) -> list[Json]:
    """Encode attributes as OTLP has them, without those that are None."""
    return [
        {"key": name, "value": _encode_value(value)}
        for name, value in attributes.items()
        if value is not None
    ]


def _encode_value(value: object) -> Json:
    if isinstance(value, bool):
        return {"boolValue": value}
    return {"intValue": str(value)} if isinstance(value, int) else {"stringValue": str(value)}


def _attributes(
    link: Link, target: Target | None, error: str | None
) -> Iterator[tuple[str, object]]:
    yield "gen_ai.operation.name", "chat"  # the conventions have no name of its own for it
    yield "openai.api.type", "responses"
    yield "gen_ai.provider.name", PROVIDERS[target.provider] if target else "openai"
    yield "gen_ai.request.model", link.model
    yield "gen_ai.request.stream", link.ends_by is not None or None
    yield "gen_ai.response.model", link.upstream_model
    yield "gen_ai.response.id", link.id
    yield "gen_ai.conversation.id", link.conversation
    yield "openai.response.service_tier", link.service_tier
    yield "error.type", error
    yield from _tokens(link.usage or {})
    yield from _address(target)
    yield "antiphon.tenant", link.tenant
    yield "antiphon.key_id", link.key_id
    yield "antiphon.target", link.target
    yield "antiphon.request_id", link.request_id


def _tokens(usage: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, path in TOKENS.items():
        value: Any = usage
        for member in path:
            value = value.get(member) if isinstance(value, Mapping) else None
        if type(value) is int:
            yield name, value


def _address(target: Target | None) -> Iterator[tuple[str, object]]:
    if target is not None:
        parts = urlsplit(target.address)
        yield "server.address", parts.hostname
        yield "server.port", parts.port or PORTS[parts.scheme]


def _error_type(link: Link) -> str | None:
    """Return one of few words: failed, or why the outcome is unknown, such as cut or given_up."""
    if link.unfinished is not None:
        return link.unfinished.partition(":")[0].replace(" ", "_")
    return "failed" if link.status == "failed" else None
