"""What may stand in a request, and what it looks like then."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.relay.transport.errors import Unsendable
from antiphon.relay.transport.outgoing import Outgoing


def sent(url="http://h/v1/x", method="POST", body=b"", **headers):
    return Outgoing.to(url, method, headers, body).head


def test_a_request_has_these_headers_and_no_others():
    assert sent(body=b"{}", authorization="Bearer x") == (
        b"POST /v1/x HTTP/1.1\r\nhost: h\r\naccept: */*\r\nconnection: keep-alive\r\n"
        b"authorization: Bearer x\r\ncontent-length: 2\r\n\r\n"
    )


@pytest.mark.parametrize(("method", "length"), [("POST", True), ("GET", False), ("DELETE", False)])
def test_only_where_a_body_is_usual_its_absence_is_told(method, length):
    assert (b"content-length: 0\r\n" in sent(method=method)) is length


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://api.openai.com/v1", ("api.openai.com", 443), b"api.openai.com"),
        ("https://api.openai.com:443/v1", ("api.openai.com", 443), b"api.openai.com"),
        ("http://LOCALHOST:8080/v1", ("localhost", 8080), b"localhost:8080"),
        ("http://[::1]:8080/v1", ("::1", 8080), b"[::1]:8080"),
        ("https://[::1]/v1", ("::1", 443), b"[::1]"),
        ("https://bücher.example/v1", ("xn--bcher-kva.example", 443), b"xn--bcher-kva.example"),
    ],
)
def test_an_address_says_whom_to_connect_to(url, origin, host):
    made = Outgoing.to(url, "GET", {})
    assert (made.origin.host, made.origin.port) == origin
    assert made.origin.secure is url.startswith("https")
    assert b"\r\nhost: " + host + b"\r\n" in made.head


@pytest.mark.parametrize(
    "query", ["a=%20&a=b", "include[]=x&include%5B%5D=y", "flag&t=a+b", "a=?/'|"]
)
def test_a_query_goes_on_as_it_came(query):
    assert sent(f"http://h/x?{query}", "GET").startswith(f"GET /x?{query} HTTP/1.1\r\n".encode())


def test_what_no_url_has_as_it_is_goes_on_encoded():
    assert sent('http://h/x?"<>').startswith(b"POST /x?%22%3C%3E HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "target",
    [
        "/x?a b", "/x?a\r\nx: y", "/x?a\nb", "/x?\t", "/x?\0", "/x?é", "/x?a#b", "/x\x7f",
        "/v1/../x", "/v1/./x", "/v1/..", "/" + 70_000 * "a", "?a", "",
    ],
)  # fmt: skip
def test_what_a_request_line_cannot_hold_is_not_sent(target):
    with pytest.raises(Unsendable):
        sent(f"http://h{target}")


@pytest.mark.parametrize(
    "place",
    [
        "",
        ":80",
        "[::1",
        "h:x",
        "h:70000",
        "u@h",
        "u:p@h",
        "h\r\nx: y",
        "h\0",
        "h h",
        "a..b",
        "x" * 64,
    ],
)
def test_what_can_be_no_host_is_not_asked_for(place):
    with pytest.raises(Unsendable):
        sent(f"https://{place}/x")


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "//h/x", "/x", "h/x", "http:/x", " http://h/x", "\nhttp://h/x"]
)
def test_what_is_no_address_of_http_is_not_asked_for(url):
    with pytest.raises(Unsendable):
        sent(url)


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "GÉT"])
def test_what_is_no_method_is_not_sent(method):
    with pytest.raises(Unsendable):
        sent(method=method)


@pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\rb", "\0", "é", " a", "a ", "a\x7f"])
def test_a_header_that_is_none_is_not_sent_and_not_told(value):
    with pytest.raises(Unsendable) as told:
        sent(secret=value)
    assert str(told.value) == "A header cannot be sent as it is."


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=20))
def test_whatever_is_given_becomes_one_request_or_none(query, value, name):
    try:
        head = Outgoing.to(f"http://h/x?{query}", "GET", {name: value}).head
    except Unsendable:
        return
    lines = head.split(b"\r\n")
    assert (len(lines), lines[-2:]) == (7, [b"", b""])
    assert len(lines[0].split(b" ")) == 3
    assert head.isascii()
    assert head.count(b"\n") == head.count(b"\r") == 6
