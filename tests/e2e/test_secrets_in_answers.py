"""What a provider's answer repeats of the gateway's account does not reach the caller."""

import json

import pytest

from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.gateway import CREDENTIALS
from tests.support.provider import (
    CLOSE,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

CREDENTIAL = CREDENTIALS["ANTIPHON_SECRET_OPENAI"]
ACCOUNT = "org-AbCdEf12345 in proj_AbCdEf12345 at acme-eu.openai.azure.com"
MASKED = "org-redacted in proj-redacted at redacted.openai.azure.com"
FAILURE = {"code": "server_error", "message": f"{CREDENTIAL} of {ACCOUNT}"}
REFUSAL = json.dumps({"error": {"message": FAILURE["message"], "type": "t"}}).encode()


def failed_response():
    """Only what its error names is masked: the same word elsewhere is the caller's."""
    failed = make_response(new_id(), "failed", error=FAILURE, instructions="keep org-Caller123")
    return json.dumps(failed).encode()


def json_script(body, status=200, **more):
    return lambda: (encode_response(body() if callable(body) else body, status, **more),)


def stream_script(*last, **headers):
    """A stream that begins as usual."""

    def script():
        first, delta, _ = make_events(new_id())
        return (encode_stream(first, delta, *(event() for event in last), **headers),)

    return script


def failed_event():
    response = make_response(new_id(), "failed", error=FAILURE, instructions="keep org-Caller123")
    return make_event("response.failed", 2, response=response)


def cut_script():
    """The stream breaks, so that the gateway itself writes the end of the response."""
    first = make_event("response.created", 0, response=make_response(new_id(), "in_progress"))
    second = make_event("response.in_progress", 1, response=make_response("r", key=CREDENTIAL))
    return encode_stream_head(), encode_chunk(first), encode_chunk(second), CLOSE


def split_script():
    """Each byte is a chunk of its own."""
    body = make_event("error", 0, **FAILURE)
    return (encode_stream(*(body[n : n + 1] for n in range(len(body)))),)


ANSWERS = {
    "400": json_script(REFUSAL, 400),
    "500": json_script(REFUSAL, 500),
    "a page": json_script(b"<html>" + REFUSAL, 500, kind="text/html"),
    "failed": json_script(failed_response),
    "flat error": stream_script(lambda: make_event("error", 2, **FAILURE)),
    "nested error": stream_script(lambda: make_event("error", 2, error=FAILURE)),
    "nameless error": stream_script(lambda: b"data: " + REFUSAL + b"\n\n"),
    "no JSON": stream_script(lambda: b"event: error\ndata: " + ACCOUNT.encode() + b"\n\n"),
    "failed event": stream_script(failed_event),
    "cut": cut_script,
    "split": split_script,
    "a header": json_script(
        lambda: json.dumps(make_response(new_id())).encode(), x_request_id=f"req-{CREDENTIAL}"
    ),
    "a media type": json_script(b"x", kind=f"x/{CREDENTIAL}"),
}
COMPLETE = {"400", "500", "a page", "failed", "a header"}


@pytest.mark.parametrize("name", ANSWERS)
def test_no_answer_has_the_credential_or_names_the_account(provider, client, name):
    provider.respond_with(*ANSWERS[name]())
    body = {"model": "gpt-5", "input": "x", "stream": name not in COMPLETE}
    got = client.post("/responses", json=body)
    everything = f"{got.headers} {got.text}"
    assert CREDENTIAL not in everything
    assert "AbCdEf12345" not in everything
    assert "acme-eu" not in everything
    if name not in {"cut", "a header", "a media type"}:
        assert MASKED in got.text
    if "failed" in name:
        assert "keep org-Caller123" in got.text


def test_a_failed_response_is_masked_when_it_is_read_again(provider, client):
    id = new_id()
    provider.respond_with_json(make_response(id, "in_progress"))
    failed = make_response(id, "failed", error=FAILURE)
    provider.respond_with_json(failed)
    client.post("/responses", json={"model": "gpt-5", "input": "x", "background": True})
    got = client.get(f"/responses/{id}")
    assert got.json()["error"]["message"] == f"[redacted] of {MASKED}"


@pytest.mark.parametrize("before", ["\n", "\t", "é", "_", "/", "%2F", "--"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_the_account_is_masked_whatever_is_before_it(provider, client, before, stream):
    """Escapes of JSON and of URLs end with letters and digits."""
    names = [before + name for name in ACCOUNT.replace(" in ", " at ").split(" at ")]
    masked = [before + name for name in MASKED.replace(" in ", " at ").split(" at ")]
    refusal, event = {"error": {"message": names}}, make_event("error", 2, message=names)
    whole = encode_response(json.dumps(refusal).encode(), 400)
    provider.respond_with(*(stream_script(lambda: event)() if stream else (whole,)))
    got = client.post("/responses", json={"model": "gpt-5", "input": "x", "stream": stream})
    assert json.dumps(masked) in got.text


def test_output_is_not_masked(provider, client):
    """A model may write what looks like an organisation, and a word of an address."""
    text = json.dumps(make_response(new_id(), output=[{"type": "x", "text": ACCOUNT}])).encode()
    provider.respond_with(encode_response(text))
    id = new_id()
    first, _, last = make_events(id)
    delta = make_event("response.output_text.delta", 1, delta=f"{ACCOUNT} error")
    provider.respond_with(encode_stream(first, delta, last))
    assert client.post("/responses", json={"model": "gpt-5", "input": "x"}).content == text
    got = client.post("/responses", json={"model": "gpt-5", "input": "x", "stream": True})
    assert got.content == first + delta + last
