"""The body of an event: one encoding, one size, or a refusal."""

import pytest

from antiphon.errors import BodyTooLarge, InvalidRequest, UnsupportedEncoding
from antiphon.http_events import RequestReader

READER = RequestReader(max_body_bytes=5, rest_answer_seconds=290)


def read(body, headers=None, *, is_base64=False):
    return READER._read_body({"body": body, "isBase64Encoded": is_base64}, headers or {})


@pytest.mark.parametrize(
    ("body", "is_base64", "expected"),
    [
        ("hello", False, b"hello"),
        ("h\u00e4", False, b"h\xc3\xa4"),
        ("aGVsbG8=", True, b"hello"),
        ("", True, b""),
        (None, False, b""),
    ],
)
def test_a_body_is_read_as_its_event_encodes_it(body, is_base64, expected):
    assert read(body, is_base64=is_base64) == expected


@pytest.mark.parametrize("body", ["aGVsbG8", "aGVs\nbG8=", "aGVs-_8=", "{}", "a=b=", "\ud800"])
def test_base64_is_read_strictly(body):
    """Lenient decoding skips what it does not know: two readers would see two bodies."""
    with pytest.raises(InvalidRequest) as refused:
        read(body, is_base64=True)
    assert refused.value.param == "body"


def test_text_that_is_no_unicode_is_refused():
    with pytest.raises(InvalidRequest):
        read("\ud800")


@pytest.mark.parametrize(("body", "is_base64"), [("hello!", False), ("aGVsbG8h", True)])
def test_a_body_has_a_bound(body, is_base64):
    with pytest.raises(BodyTooLarge, match=r"It has 6 bytes; the limit is 5\."):
        read(body, is_base64=is_base64)


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP", "identity, gzip"])
def test_a_compressed_body_is_refused(coding):
    with pytest.raises(UnsupportedEncoding):
        read("hello", {"content-encoding": coding})
    assert read("hello", {"content-encoding": "Identity"}) == b"hello"
