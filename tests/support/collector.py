"""A collector of OpenTelemetry in this process, which decodes what it gets as a real one does."""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.http_server import HttpAnswer, HttpRequest, serve_http

type Answer = tuple[int, dict[str, str], bytes]

TAKEN: Answer = (200, {}, b"{}")
IDS = ("traceId", "spanId", "parentSpanId")


@dataclass
class Collector:
    """Takes every export, unless other answers are in `answers`."""

    address: str = ""
    answers: list[Answer] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)  # of each export
    exports: list[ExportTraceServiceRequest] = field(default_factory=list)

    @property
    def spans(self) -> list[Span]:
        """All spans, also those of exports that were refused."""
        return [
            span
            for export in self.exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


def decode(body: bytes) -> ExportTraceServiceRequest:
    """Decode OTLP's JSON; raise ParseError for what the protocol does not define.

    It is the JSON mapping of Protobuf, except that ids are hexadecimal instead of base64.
    """
    document = json.loads(body)
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                span |= {name: _to_base64(span[name]) for name in IDS if name in span}
    return ParseDict(document, ExportTraceServiceRequest())


def attributes_of(found: Any) -> dict[str, object]:
    """The attributes of a span or a resource, as values of Python."""
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in found}


@contextmanager
def run_collector() -> Iterator[Collector]:
    collector = Collector()

    def respond(request: HttpRequest) -> HttpAnswer:
        assert request.path == "/v1/traces"
        assert request.headers["content-type"] == "application/json"
        collector.headers.append({**request.headers})
        collector.exports.append(decode(request.body))
        status, headers, content = collector.answers.pop(0) if collector.answers else TAKEN
        return HttpAnswer(status, content, headers)

    with serve_http(respond) as collector.address:
        yield collector


def _to_base64(text: str) -> str:
    assert text == text.lower()
    return base64.b64encode(bytes.fromhex(text)).decode()
