"""How often openai-python has a provider asked, with the retries that it makes by itself."""

import json

import openai
import pytest

from tests.clients.text_events import make_text_events
from tests.support.events import make_response, new_id
from tests.support.provider import CLOSE, RESET, encode_response, encode_stream, encode_stream_head

ASK = {"model": "gpt-5", "input": "x"}
ATTEMPTS = 3  # the first, and the SDK's default of two more
BREAKS = {
    "reset": (RESET,),
    "closed": (CLOSE,),
    "in the head": (b"HTTP/1.1 200 OK\r\ncontent-ty", RESET),
    "in the body": (encode_response(b'{"id":"resp_1"}')[:-3], CLOSE),
    "behind the head": (encode_stream_head(), RESET),
    "no HTTP": (b"nonsense\r\n\r\n", CLOSE),
    "a page": (encode_response(b"<html>", kind="text/html"),),
    "a redirect": (encode_response(b"", 302, location="http://127.0.0.1/"),),
}


def error(status, **headers):
    body = json.dumps({"error": {"message": "m", "type": "t", "param": None, "code": None}})
    return encode_response(body.encode(), status, **headers)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(("status", "attempts"), [(503, ATTEMPTS), (500, 1), (520, 1), (400, 1)])
async def test_only_what_certainly_did_not_start_is_tried_again(
    sdk, provider, status, attempts, stream
):
    """All statuses: tests/faults/test_before_the_first_byte.py."""
    for _ in range(attempts):
        provider.respond_with(error(status, retry_after_ms="1"))
    with pytest.raises(openai.APIStatusError) as caught:
        await sdk.create(**ASK, stream=stream)
    assert caught.value.status_code == status
    assert len(provider.received) == attempts


@pytest.mark.parametrize("status", [429, 503])
async def test_what_works_the_second_time_is_an_answer(sdk, provider, status):
    provider.respond_with(error(status, retry_after_ms="1"))
    provider.respond_with(encode_stream(*make_text_events(new_id())))
    assert (await sdk.final(**ASK)).output_text == "Hello you"
    assert len({got.body for got in provider.received}) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", BREAKS)
async def test_a_break_before_the_first_event_is_an_error_and_no_retry(sdk, provider, name, stream):
    provider.respond_with(*BREAKS[name])
    with pytest.raises(openai.InternalServerError) as caught:
        await sdk.create(**ASK, stream=stream)
    assert (caught.value.status_code, caught.value.code) == (502, "upstream_failed")
    assert len(provider.received) == 1


@pytest.mark.parametrize("call", ["retrieve", "cancel"])
@pytest.mark.parametrize(
    "fault",
    [
        (error(500, retry_after_ms="1"),),
        BREAKS["in the body"],
        (encode_response(b'{"id":"resp_1","status":"completed"}')[:-3], CLOSE),  # its id is read
    ],
)
async def test_what_makes_nothing_is_tried_again(sdk, provider, call, fault):
    """A poll, and a cancel, cost nothing: one broken answer to them ends no program."""
    answer = encode_response(json.dumps(make_response(new_id())).encode())
    provider.respond_with(answer)
    created = await sdk.create(**ASK)
    provider.respond_with(*fault)
    provider.respond_with(answer)
    assert (await sdk.call(f"responses.{call}", created.id)).id == created.id
    assert len(provider.received) == ATTEMPTS


async def test_a_provider_may_ask_for_no_retry(sdk, provider):
    provider.respond_with(error(429, x_should_retry="false"))
    with pytest.raises(openai.RateLimitError):
        await sdk.create(**ASK)
    assert len(provider.received) == 1


async def test_a_wait_that_is_too_long_is_left_to_the_caller(sdk, provider):
    provider.respond_with(error(429, retry_after="3600"))
    with pytest.raises(openai.RateLimitError) as caught:
        await sdk.create(**ASK)
    assert caught.value.response.headers["retry-after"] == "3600"
    assert len(provider.received) == 1


async def test_a_request_that_was_answered_is_not_sent_again(sdk, provider):
    provider.respond_with(encode_response(json.dumps(make_response(new_id(), "failed")).encode()))
    assert (await sdk.create(**ASK)).status == "failed"
    assert len(provider.received) == 1
