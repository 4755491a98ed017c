"""A provider's answer without the gateway's own credential, wherever it is and however it is cut."""

import html
import json
import re
from urllib.parse import quote

import httpx
import pytest

from antiphon.upstream.credentials import RedactedStream, redact
from antiphon.upstream.http1 import Received

PLAIN = "sk-proj-AbCdEf0123456789_AbCdEf-0123456789"
BASE64 = "AbC+dEf/0123456789=AbCdEf0123+456789AbCdEf=="
EVENT = b'event: response.output_text.delta\ndata: {"type":"delta","delta":"Hi"}\n\n'


class Chunks(httpx.SyncByteStream):
    def __init__(self, *chunks, fault=None):
        self.chunks, self.fault, self.is_closed = chunks, fault, False

    def __iter__(self):
        yield from self.chunks
        if self.fault:
            raise self.fault

    def close(self):
        self.is_closed = True


def read(*chunks, credential=PLAIN):
    return b"".join(RedactedStream(Chunks(*chunks), credential))


def json_escaped(text):
    """As encoders for HTML pages, and those of PHP, write JSON."""
    return json.dumps(text).replace("/", "\\/").replace("+", "\\u002B").replace("=", "\\u003d")


def lower_quoted(text):
    return re.sub("%..", lambda escape: escape[0].lower(), quote(text, safe=""))


@pytest.mark.parametrize("form", [str, quote, lower_quoted, json_escaped, html.escape])
@pytest.mark.parametrize("credential", [PLAIN, BASE64])
def test_it_is_found_in_every_form_that_an_answer_has(form, credential):
    found = read(f"before {form(credential)} after".encode(), credential=credential)
    assert b"[redacted]" in found
    assert found.startswith(b"before ")
    assert found.endswith(b" after")
    assert b"0123456789" not in found


@pytest.mark.parametrize("credential", [PLAIN, BASE64])
@pytest.mark.parametrize("end", [b"", b"\n\n", b"\r\r", b"\r\n\r\n"])
def test_it_is_found_wherever_chunks_end(credential, end):
    body = b'data: {"message":"Bearer %b is wrong, %b"}' % ((credential.encode(),) * 2) + end
    expected = b'data: {"message":"Bearer [redacted] is wrong, [redacted]"}' + end
    for cut in range(len(body)):
        assert read(body[:cut], body[cut:], credential=credential) == expected
    assert read(*(body[n : n + 1] for n in range(len(body))), credential=credential) == expected


def test_what_does_not_have_it_is_the_same_bytes_at_once():
    """The same object: an event is neither copied nor held back."""
    chunks = [EVENT, EVENT + EVENT, b": ping\n\n"]
    passed = [chunk for chunk in RedactedStream(Chunks(*chunks), PLAIN) if chunk]
    assert all(got is sent for got, sent in zip(passed, chunks, strict=True))


@pytest.mark.parametrize("ending", [b"\n\n", b"\r\r"])
def test_a_complete_event_never_waits(ending):
    """Not even behind the beginning of a credential."""
    event = b"data: sk-proj-AbC" + ending
    stream = iter(RedactedStream(Chunks(event + PLAIN[:9].encode(), b"x"), PLAIN))
    assert next(stream) == event


def test_a_part_of_it_is_no_credential():
    body = PLAIN[:-1].encode() + b" " + PLAIN[1:].encode()
    assert read(body) == body


def test_a_broken_connection_loses_nothing_that_came_before():
    stream = iter(RedactedStream(Chunks(b"data: {}", fault=httpx.ReadError("m")), PLAIN))
    assert next(stream) + next(stream) == b"data: {}"
    with pytest.raises(httpx.ReadError):
        next(stream)


def respond(credential, value):
    response = Received(200, [(b"x-request-id", value.encode())], Chunks(value.encode()))
    redact(response, credential)
    return response.headers["x-request-id"], b"".join(response.stream).decode()


@pytest.mark.parametrize("credential", [PLAIN, BASE64])
def test_a_header_does_not_have_it_either(credential):
    assert respond(credential, f"a {credential} b") == ("a [redacted] b",) * 2


@pytest.mark.parametrize("word", ["EMPTY", "lm-studio", "placeholder"])
def test_a_word_that_stands_for_no_credential_passes(word):
    assert respond(word, word) == (word, word)


def test_closing_closes_the_body():
    chunks = Chunks(EVENT)
    RedactedStream(chunks, PLAIN).close()
    assert chunks.is_closed
