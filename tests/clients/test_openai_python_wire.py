"""What openai-python sends and shows beside the typed fields: unknown keys, headers, ids."""

import json

import pytest

from tests.clients.text_events import make_text_events
from tests.support.events import make_response, new_id
from tests.support.provider import encode_response, encode_stream

ASK = {"model": "gpt-5", "input": "x"}


def answer(**headers):
    return encode_response(json.dumps(make_response(new_id())).encode(), **headers)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_keys_that_nobody_knows_go_through(sdk, provider, stream):
    unknown = {"client_metadata": {"a": [1]}, "brand_new": None}
    provider.respond_with(encode_stream(*make_text_events(new_id())) if stream else answer())
    if stream:
        assert [event async for event in sdk.streamed(**ASK, extra_body=unknown)]
    else:
        await sdk.create(**ASK, extra_body=unknown)
    (got,) = provider.received
    body = json.loads(got.body)
    assert {key: body[key] for key in unknown} == unknown


async def test_what_nobody_knows_comes_back(sdk, provider):
    provider.respond_with(
        encode_response(json.dumps(make_response(new_id(), brand_new={"a": 1})).encode())
    )
    assert (await sdk.create(**ASK)).brand_new == {"a": 1}


async def test_an_answers_headers_say_who_answered(sdk, provider):
    provider.respond_with(answer(openai_processing_ms="12", x_ratelimit_remaining_tokens="5"))
    got = await sdk.raw(**ASK)
    assert got.status_code == 200
    assert got.headers["x-antiphon-target"] == "openai"
    assert got.headers["x-antiphon-request-id"]
    assert got.headers["x-request-id"] == got.parse()._request_id == "req_of_provider"
    assert got.headers["openai-processing-ms"] == "12"
    assert got.headers["x-ratelimit-remaining-tokens"] == "5"


async def test_a_streams_headers_say_it_too(sdk, provider):
    provider.respond_with(encode_stream(*make_text_events(new_id())))
    got = await sdk.raw(**ASK, stream=True)
    assert got.headers["content-type"].startswith("text/event-stream")
    assert got.headers["x-antiphon-target"] == "openai"
    assert got.headers["x-request-id"] == "req_of_provider"
    await sdk.drain(got.parse())


async def test_the_sdk_tells_the_provider_nothing_of_itself(sdk, provider):
    provider.respond_with(answer())
    own = {"x-client-request-id": "mine", "openai-beta": "b=1"}
    await sdk.create(**ASK, extra_headers={**own, "openai-organization": "org-mine"})
    (got,) = provider.received
    assert own.items() <= got.headers.items()
    assert not [name for name in got.headers if "stainless" in name or "organization" in name]


async def test_queries_of_the_caller_go_along(sdk, provider):
    provider.respond_with(answer())
    await sdk.create(**ASK, extra_query={"beta": "true"})
    assert provider.received[0].line == "POST /v1/responses?beta=true HTTP/1.1"


async def test_a_large_input_goes_through(sdk, provider):
    provider.respond_with(answer())
    await sdk.create(model="gpt-5", input="é" * 1_000_000)
    assert json.loads(provider.received[0].body)["input"] == "é" * 1_000_000


async def test_an_event_that_nobody_knows_is_an_event(sdk, provider):
    events = make_text_events(new_id())
    new = b'event: response.brand_new\ndata: {"type":"response.brand_new","sequence_number":1}\n\n'
    provider.respond_with(encode_stream(*events[:1], new, *events[1:]))
    got = [event.type async for event in sdk.streamed(**ASK)]
    assert got[:2] == ["response.created", "response.brand_new"]
    assert got[-1] == "response.completed"
