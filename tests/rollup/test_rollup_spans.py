"""Each response becomes one span, which a collector can decode, and never delays the counting."""

import json
from dataclasses import dataclass, field, replace

import pytest

from antiphon import foundation, rollup_wiring
from antiphon.errors import CredentialMissing
from antiphon.observability import metrics
from antiphon.rollup.counting import LinkCounter
from antiphon.rollup.handler import StreamHandler
from antiphon.rollup.spans import SpanBuffer, encode_attributes, encode_span
from antiphon.rollup.usage import UsageRollup
from antiphon.settings.metrics import SPANS_NOT_EXPORTED
from antiphon.settings.targets import AzureTarget, OpenAITarget
from antiphon.store.secrets import ParsedSecret, parse_headers
from antiphon.upstream.otlp import SpanExporter
from infra.local.aws.resources import TABLE
from tests.support.aws import serve_aws
from tests.support.canaries import CONTENT
from tests.support.collector import attributes_of, run_collector
from tests.support.follow_up import LINK
from tests.support.usage import begin_response, complete_response, make_usage

TARGETS = {
    "openai": OpenAITarget(provider="openai", models=["*"]),
    "azure": AzureTarget(
        provider="azure", endpoint="https://acme.openai.azure.com", models={"gpt-5": "d"}
    ),
}
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
REJECTED = json.dumps({"partialSuccess": {"rejectedSpans": "1", "errorMessage": "m"}}).encode()


@dataclass
class Time:
    now: float = 1000.0
    slept: list[float] = field(default_factory=list)

    def read(self):
        return self.now

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def collector():
    with run_collector() as running:
        yield running


@pytest.fixture
def clock():
    return Time()


@pytest.fixture
def exporter(collector, clock):
    resource = encode_attributes({"service.name": "antiphon"})
    transport = foundation.build_transport(foundation.build_tls({}), None, {})
    headers = {"x-key": "k"}
    yield SpanExporter(
        transport, collector.address, resource, lambda: headers, clock.read, clock.sleep
    )
    transport.close()


@pytest.fixture
def exporting(counted, exporter):
    """A table whose stream is counted, and exported to the collector."""
    metrics.flush()
    spans = SpanBuffer(TARGETS, exporter)
    counter = LinkCounter(counted.table, UsageRollup(lambda _: None), spans.add)
    counted.rollup = StreamHandler([counter.apply], counted.dynamo.queue, at_end=spans.flush)
    yield counted
    metrics.flush()


def begin_traced(store, flags="01", **more):
    return begin_response(
        store,
        started_ms=1_700_000_000_000,
        trace_parent=f"00-{TRACE}-{PARENT}-{flags}",
        metadata={"team": CONTENT["metadata value"]},
        **more,
    )


def test_a_counted_response_is_one_span_of_the_caller_s_trace(exporting, collector):
    link = begin_traced(exporting, conversation="conv_1", ends_by=1_800_000_000)
    exporting.run_rollup()
    assert collector.exports == []  # it has not ended
    usage = make_usage(cached=400, reasoning=60)
    complete_response(
        exporting, link, usage=usage, upstream_model="gpt-5-2026", ended_ms=1_700_000_002_500
    )
    records = exporting.dynamo.stream_records()
    for _ in range(2):  # a change may be delivered repeatedly
        assert exporting.run_rollup(records) == []
    (span,) = collector.spans
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert len(span.span_id) == 8
    assert (span.name, span.kind, span.status.code) == ("chat gpt-5", span.SPAN_KIND_CLIENT, 0)
    assert span.start_time_unix_nano == 1_700_000_000_000 * 10**6
    assert span.end_time_unix_nano - span.start_time_unix_nano == 2_500 * 10**6
    assert attributes_of(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "openai.api.type": "responses",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.request.stream": True,
        "gen_ai.response.model": "gpt-5-2026",
        "gen_ai.response.id": link.id,
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.cache_read.input_tokens": 400,
        "gen_ai.usage.output_tokens": 100,
        "gen_ai.usage.reasoning.output_tokens": 60,
        "server.address": "api.openai.com",
        "server.port": 443,
        "antiphon.tenant": "acme",
        "antiphon.key_id": "key_1",
        "antiphon.target": "openai",
        "antiphon.request_id": link.request_id,
    }
    (export,) = collector.exports
    (resource,) = export.resource_spans
    assert attributes_of(resource.resource.attributes) == {"service.name": "antiphon"}
    assert collector.headers[0]["x-key"] == "k"
    assert CONTENT["metadata value"] not in str(export)


def test_a_failed_response_outside_of_a_trace_is_a_span_with_an_error(exporting, collector):
    link = begin_response(exporting, status="failed", target="azure")
    other = begin_response(exporting, store=False, unfinished="cut")
    exporting.run_rollup()
    assert len(collector.exports) == 1  # both together
    first, second = collector.spans
    assert (first.status.code, second.status.code) == (2, 2)
    found = attributes_of(first.attributes)
    assert found["error.type"] == "failed"
    assert found["gen_ai.provider.name"] == "azure.ai.openai"
    assert found["server.address"] == "acme.openai.azure.com"
    assert attributes_of(second.attributes)["error.type"] == "cut"
    assert (first.parent_span_id, len(first.trace_id)) == (b"", 16)
    assert first.trace_id != second.trace_id
    assert (link.id, other.id) == tuple(
        attributes_of(each.attributes)["gen_ai.response.id"] for each in (first, second)
    )


def test_a_response_of_a_trace_that_is_not_sampled_is_no_span(exporting, collector):
    begin_traced(exporting, flags="00", status="completed", usage=make_usage())
    exporting.run_rollup()
    assert exporting.total()["requests"] == 1
    assert collector.exports == []


def count_one(exporting):
    begin_response(exporting, status="completed", usage=make_usage())
    assert exporting.run_rollup() == []


@pytest.mark.parametrize(
    ("answers", "sent", "slept", "lost"),
    [
        ([(429, {"retry-after": "3"}, b""), (503, {}, b"")], 3, [3.0, 1.0], 0),
        ([(504, {}, b"")] * 4, 4, [0.5, 1.0, 2.0], 1),
        ([(429, {"retry-after": "60"}, b"")], 1, [], 1),
        ([(500, {}, b"")], 1, [], 1),
        ([(400, {}, b"")], 1, [], 1),
        ([(200, {}, REJECTED)], 1, [], 1),
    ],
)
def test_only_what_otlp_allows_is_sent_again(
    exporter, collector, clock, measured, answers, sent, slept, lost
):
    collector.answers = list(answers)
    exporter.export([encode_span(LINK, TARGETS["openai"])])
    assert (len(collector.exports), clock.slept) == (sent, slept)
    assert measured(SPANS_NOT_EXPORTED) == lost


def test_a_collector_that_is_down_does_not_delay_the_counting_again(
    exporting, exporter, collector, clock
):
    exporter.endpoint = "http://127.0.0.1:9"  # nothing listens there
    count_one(exporting)
    assert clock.slept == [0.5, 1.0, 2.0]
    count_one(exporting)
    assert clock.slept == [0.5, 1.0, 2.0]
    clock.now += 60
    exporter.endpoint = collector.address
    count_one(exporting)
    assert exporting.total()["requests"] == 3
    assert len(collector.spans) == 1


SETTINGS = """
[targets.openai]
provider = "openai"
models = ["*"]

[telemetry]
otlp_endpoint = "{address}"
headers = {{ x-dataset = "gateway" }}
"""


@pytest.fixture
def aws_address():
    with serve_aws() as address:
        yield address


def test_the_function_exports_to_the_collector_in_the_settings(
    counted, collector, aws_address, tmp_path, monkeypatch
):
    config = tmp_path / "gateway.toml"
    config.write_text(SETTINGS.format(address=collector.address))
    for name in ("AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "us-east-1")
    places = {"TABLE_NAME": TABLE, "SECRET_PREFIX": "p", "STAGE": "dev"}
    places["AWS_ENDPOINT_URL"] = aws_address
    counted.rollup = rollup_wiring.rollup({**places, "CONFIG_FILE": str(config)})
    count_one(counted)
    (resource,) = collector.exports[0].resource_spans
    names = {"service.name": "antiphon", "deployment.environment.name": "dev"}
    assert attributes_of(resource.resource.attributes) == names
    assert collector.headers[0]["x-dataset"] == "gateway"
    assert len(collector.spans) == 1


def test_headers_come_from_a_secret(cloud, exporter, collector):
    arn = cloud.secrets.create_secret(Name="otlp", SecretString='{"authorization": "Bearer t"}')[
        "ARN"
    ]
    secret = ParsedSecret(cloud.secrets, arn, parse_headers)
    replace(exporter, headers=secret.get).export([])
    assert collector.headers[0]["authorization"] == "Bearer t"
    cloud.secrets.put_secret_value(SecretId="otlp", SecretString="no JSON")
    with pytest.raises(CredentialMissing):
        ParsedSecret(cloud.secrets, arn, parse_headers).get()
