"""Limits and budgets through the door: what a key may use, and what is counted of what it used."""

import json
import secrets

import httpx
import openai
import pytest

from antiphon.store import keys
from tests.support.concurrency import wait_for
from tests.support.events import make_events, make_response, new_id
from tests.support.gateway import NO_TLS
from tests.support.provider import (
    CLOSE,
    Gate,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)
from tests.support.requests import create_conversation, create_response
from tests.support.usage import wait_for_sum

ASK = {"model": "gpt-5", "input": "x", "max_output_tokens": 100}
COST = 3 * 1_250 + 4 * 10_000  # nano-dollars of the usage that samples have
USAGE = {"input_tokens": 11, "output_tokens": 5, "total_tokens": 16}


class Holder:
    """A key of tenant `acme` with limits of its own."""

    def __init__(self, gateway, **limits):
        self.gateway = gateway
        self.key = f"sk-{secrets.token_hex(16)}"
        row = keys.key_row(self.key, "acme", limits=limits)
        self.partition = f"T#acme#L#{row['id']}"
        gateway.put(row)

    def client(self, door="url"):
        url, headers = self.gateway.base(door), {"authorization": f"Bearer {self.key}"}
        return httpx.Client(
            base_url=url, headers=headers, timeout=60, trust_env=False, verify=NO_TLS
        )

    def create(self, door="url", **more):
        with self.client(door) as client:
            return client.post("/responses", json={**ASK, **more})

    def counted(self):
        """Its row without what says when: nano-dollars `u`, in flight `n`, tokens `t`, and so on."""
        row = self.gateway.row(self.partition, "LIMITS") or {}
        return {
            name.rpartition("_")[2][0]: int(value)
            for name, value in row.items()
            if name.startswith("key_")
        }

    def wait_for_row(self, **counted):
        """Waits until the row has these numbers."""
        wait_for(self.counted, lambda found: counted.items() <= found.items())


@pytest.fixture
def holder(gateway):
    return lambda **limits: Holder(gateway, **limits)


def answered(provider, **more):
    id = new_id()
    provider.respond_with_json(make_response(id, **more))
    return id


def refused(holder, provider, tries=5):
    """The last of some calls; two minutes of the clock, which they may meet, admit only four."""
    for _ in range(tries):
        answered(provider)
        got = holder.create()
        if got.status_code != 200:
            break
    return got


def test_requests_of_a_minute_are_limited_at_both_doors(holder, provider, door):
    limited = holder(rpm=2)
    answered(provider)
    got = limited.create(door)
    assert got.headers["x-ratelimit-limit-requests"] == "2"
    got = refused(limited, provider)
    assert (got.status_code, got.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert got.headers["x-ratelimit-remaining-requests"] == "0"
    assert got.headers["x-should-retry"] == "true"
    assert 1 <= int(got.headers["retry-after"]) <= 60


def test_headers_have_our_limits_or_else_the_providers(holder, provider):
    headers = {"x_ratelimit_limit_requests": "500", "x_ratelimit_limit_tokens": "30000"}
    for _ in range(2):
        provider.respond_with_json(make_response(new_id()), **headers)
    got = holder(rpm=9).create()
    assert got.headers["x-ratelimit-limit-requests"] == "9"
    assert got.headers["x-ratelimit-limit-tokens"] == "30000"
    assert holder().create().headers["x-ratelimit-limit-requests"] == "500"


def test_a_key_without_limits_has_no_row(holder, provider):
    free = holder()
    answered(provider)
    assert free.create().status_code == 200
    assert free.gateway.row(free.partition, "LIMITS") is None


@pytest.mark.parametrize("stream", [False, True])
def test_what_was_used_is_counted_exactly(holder, provider, stream):
    limited = holder(rpm=9, tpm=9_999, streams=2, budget_usd=1)
    id = new_id()
    body = json.dumps(make_response(id)).encode()
    provider.respond_with(encode_stream(*make_events(id)) if stream else encode_response(body))
    assert limited.create(stream=stream).status_code == 200
    limited.wait_for_row(u=COST, n=0)
    assert limited.counted()["r"] == 1


def test_a_budget_that_is_spent_is_a_refusal_for_good(holder, provider):
    limited = holder(budget_usd=1)
    dear = {"input_tokens": 0, "output_tokens": 100_000, "total_tokens": 100_000}
    answered(provider, usage=dear)
    assert limited.create().status_code == 200
    limited.wait_for_row(u=10**9)
    provider.reset()
    with limited.client() as http:
        client = openai.OpenAI(base_url=limited.gateway.url, api_key=limited.key, http_client=http)
        with pytest.raises(openai.RateLimitError) as raised:
            client.responses.create(**ASK)
    assert raised.value.code == "insufficient_quota"
    assert "the budget of this key is $1 a month" in raised.value.message
    assert raised.value.response.headers["x-should-retry"] == "false"
    assert provider.received == []


def test_responses_in_flight_are_limited(holder, provider):
    limited, gate, id = holder(streams=1), Gate(), new_id()
    first, *rest = make_events(id)
    provider.respond_with(
        encode_stream_head(), encode_chunk(first), gate, *map(encode_chunk, rest), encode_chunk(b"")
    )
    wanted = {"json": {**ASK, "stream": True}}
    with limited.client() as client, client.stream("POST", "/responses", **wanted) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: response.created"
        got = limited.create()
        assert (got.status_code, got.headers["retry-after"]) == (429, "1")
        assert got.json()["error"]["code"] == "concurrency_limit_exceeded"
        gate.open()
        assert any("response.completed" in line for line in lines)
    limited.wait_for_row(n=0)
    answered(provider)
    assert limited.create().status_code == 200


def test_what_a_provider_refuses_costs_nothing(holder, provider):
    limited = holder(rpm=9, streams=2, budget_usd=1)
    provider.respond_with(encode_response(b'{"error":{"message":"no","type":"x"}}', status=400))
    assert limited.create().status_code == 400
    limited.wait_for_row(u=0, n=0, r=1)


@pytest.mark.parametrize("begun", ["in the background", "in a stream that is cut"])
def test_what_goes_on_is_counted_when_it_is_known_how_it_ended(holder, provider, begun):
    limited, id = holder(streams=1, budget_usd=1), new_id()
    provider.respond_to_settle(
        id, encode_response(json.dumps(make_response(id, usage=USAGE)).encode())
    )
    if begun == "in the background":
        provider.respond_with_json(make_response(id, "queued"))
        assert limited.create(background=True).json()["status"] == "queued"
    else:
        provider.respond_with(encode_stream_head(), *map(encode_chunk, make_events(id)[:2]), CLOSE)
        limited.create(stream=True)
    limited.wait_for_row(u=11 * 1_250 + 5 * 10_000, n=0)


def test_what_the_gateway_refuses_is_not_counted(holder, provider):
    limited = holder(rpm=9, budget_usd=1, max_output_tokens=100, max_body_bytes=200)
    unset = {"model": "gpt-5", "input": "x"}
    with limited.client() as client:
        assert client.post("/responses", json=unset).json()["error"]["param"] == "max_output_tokens"
    assert limited.create(max_output_tokens=101).status_code == 400
    assert limited.create(previous_response_id="resp_unknown").status_code == 400
    assert limited.create(input="x" * 200).status_code == 413
    assert (
        limited.create(model="gpt-of-the-future").json()["error"]["code"] == "model_without_price"
    )
    assert limited.counted() == {}
    assert provider.received == []


def test_a_compaction_is_counted_like_a_create(holder, provider):
    limited = holder(rpm=9, streams=1, budget_usd=1)
    made = {"id": new_id(), "object": "response.compaction", "output": [], "usage": USAGE}
    provider.respond_with_json(made)
    with limited.client() as client:
        got = client.post("/responses/compact", json={"model": "gpt-5", "input": "x"})
    assert got.headers["x-ratelimit-remaining-requests"] == "8"
    limited.wait_for_row(u=11 * 1_250 + 5 * 10_000, n=0, r=1)


SPENT = 100 * 1_250 + 10 * 10_000  # nano-dollars of the next usage for gpt-5 at the default tier
TIERS = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110}


@pytest.mark.parametrize(
    ("how", "requested", "answered", "share"),
    [
        ("json", "priority", None, 2),
        ("json", "priority", "auto", 2),  # says nothing
        ("json", "flex", None, 0.5),
        ("json", "priority", "default", 1),  # was not to be had
        ("json", "auto", "priority", 2),  # set for the whole project
        ("json", "auto", None, 1),
        ("stream", "priority", None, 2),
        ("stream", "priority", "default", 1),
        ("background", "priority", None, 2),
        ("background", "priority", "default", 1),
        ("compact", "priority", None, 2),
        ("compact", "priority", "default", 1),
    ],
)
def test_the_requested_tier_is_billed_unless_the_answer_names_another(
    holder, provider, how, requested, answered, share
):
    limited, id = holder(budget_usd=1), new_id()
    more = {"usage": TIERS, **({"service_tier": answered} if answered else {})}
    ended = encode_response(json.dumps(make_response(id, **more)).encode())
    if how == "stream":
        provider.respond_with(encode_stream(*make_events(id, **more)))
    elif how == "background":
        first = make_response(id, "queued")
        provider.respond_with_json(first)
        provider.respond_to_settle(id, ended)
    else:
        provider.respond_with(ended)
    path = "/responses/compact" if how == "compact" else "/responses"
    options = {how: True} if how in {"stream", "background"} else {}
    with limited.client() as client:
        body = {"model": "gpt-5", "input": "x", "service_tier": requested, **options}
        assert client.post(path, json=body).status_code == 200
    limited.wait_for_row(u=SPENT * share)


def test_a_deployments_name_prices_nothing(holder, provider):
    """Azure repeats it: `o3-pro = "gpt-4o-mini"` is o3-pro, 20 dollars and 80."""
    limited, model = holder(budget_usd=9), "o3-pro"
    answered(provider, model="gpt-4o-mini", usage=TIERS)
    assert limited.create(model=model).status_code == 200
    limited.wait_for_row(u=100 * 20_000 + 10 * 80_000)
    with limited.client() as client:
        assert wait_for_sum(client, model, 1)["cost_usd"] == "0.0028"


OTHER_CALLS = (
    ("POST", "/responses/input_tokens", {"model": "gpt-5", "input": "x"}),
    ("GET", "/responses/{id}", None),
    ("GET", "/responses/{id}/input_items", None),
    ("POST", "/responses/{id}/cancel", None),
    ("GET", "/responses/{id}/lineage", None),
    ("DELETE", "/responses/{id}", None),
    ("GET", "/responses", None),
    ("POST", "/conversations", {}),
    ("GET", "/conversations/{conversation}", None),
    ("POST", "/conversations/{conversation}", {"metadata": {}}),
    ("POST", "/conversations/{conversation}/items", {"items": [{"role": "user", "content": "x"}]}),
    ("GET", "/conversations/{conversation}/items", None),
    ("GET", "/conversations/{conversation}/items/msg_1", None),
    ("DELETE", "/conversations/{conversation}/items/msg_1", None),
    ("DELETE", "/conversations/{conversation}", None),
    ("GET", "/conversations", None),
    ("GET", "/models", None),
    ("GET", "/usage", None),
)


def make_owned(gateway, provider):
    """The ids of a response and a conversation of the tenant."""
    with gateway.client() as client:
        return {
            "id": create_response(client, provider),
            "conversation": create_conversation(client, provider),
        }


@pytest.fixture(scope="module")
def _lasting(gateway, _provider):
    return make_owned(gateway, _provider)


@pytest.fixture
def owned(request, gateway, provider, _lasting):
    """What a test deletes is its own."""
    is_deleted = request.node.callspec.params.get("method") == "DELETE"
    return make_owned(gateway, provider) if is_deleted else _lasting


@pytest.mark.parametrize(("method", "path", "body"), OTHER_CALLS, ids=str)
def test_every_other_call_is_a_request_of_its_minute(holder, provider, owned, method, path, body):
    limited = holder(rpm=2, budget_usd=1)
    with limited.client() as client:
        for _ in range(5):  # the clock may show three minutes meanwhile
            provider.respond_with_json({"id": owned["id"]})
            got = client.request(method, path.format(**owned), json=body)
            if got.status_code == 429:
                break
            provider.reset()
    assert (got.status_code, got.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert got.headers["x-should-retry"] == "true"
    assert limited.counted().keys() == {"r"}  # and no money
    assert provider.received == []


@pytest.mark.parametrize("path", [path for _, path, body in OTHER_CALLS if body is not None])
def test_every_body_has_the_ceiling_of_its_key(holder, provider, owned, path):
    limited = holder(max_body_bytes=200)
    with limited.client() as client:
        got = client.post(path.format(**owned), json={"padding": "x" * 200})
    assert (got.status_code, got.json()["error"]["code"]) == (413, "request_too_large")
    assert provider.received == []
