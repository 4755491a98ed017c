"""What a request may contain, and how it is encoded."""

from contextlib import closing

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.upstream.http1 import HEAD, build_request, encode_head
from tests.support.upstream import exchange, plain_transport, run_peer

REFUSED = (httpx.LocalProtocolError, httpx.UnsupportedProtocol)
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


def encoded(url="http://h/v1/x", method="POST", body=b"", **headers):
    return encode_head(build_request(method, url, headers, body))


def test_a_request_has_these_headers_and_no_others():
    assert encoded(body=b"{}", authorization="Bearer x") == (
        b"POST /v1/x HTTP/1.1\r\nhost: h\r\naccept: */*\r\nconnection: keep-alive\r\n"
        b"authorization: Bearer x\r\ncontent-length: 2\r\n\r\n"
    )


def test_a_request_is_sent_as_it_is_encoded(transport):
    with run_peer(OK) as peer:
        exchange(transport, f"{peer.url}/a/b?c=d", "PATCH", b"{}")
        assert peer.heads == [
            b"PATCH /v1/a/b?c=d HTTP/1.1\r\nhost: 127.0.0.1:%d\r\naccept: */*\r\n"
            b"connection: keep-alive\r\nx-a: b\r\ncontent-length: 2\r\n\r\n" % peer.port
        ]
        assert peer.bodies == [b"{}"]


def test_a_request_of_httpx_itself_is_sent(transport):
    with run_peer(OK) as peer:
        headers = {"content-length": "2"}
        request = httpx.Request("POST", peer.url, headers=headers, content=b"{}")
        with closing(transport.handle_request(request)) as response:
            assert response.read() == b"hello"
        assert peer.bodies == [b"{}"]


@pytest.mark.parametrize(("method", "length"), [("POST", True), ("GET", False), ("DELETE", False)])
def test_an_empty_body_has_a_length_only_where_a_body_is_usual(method, length):
    assert (b"content-length: 0\r\n" in encoded(method=method)) is length


def test_a_built_request_can_be_read_again():
    extensions = {"timeout": {"read": 1.0}, "head_timeout": 2.0}
    request = build_request("POST", "https://h/v1/x?a=b", {}, b"{}", extensions)
    assert (request.content, request.extensions) == (
        b"{}",
        extensions | {HEAD: encode_head(request)},
    )
    assert (request.url.path, request.url.query) == ("/v1/x", b"a=b")


@pytest.mark.parametrize(
    ("url", "origin", "host"),
    [
        ("https://api.openai.com/v1", ("https", b"api.openai.com", None), b"api.openai.com"),
        ("https://api.openai.com:443/v1", ("https", b"api.openai.com", None), b"api.openai.com"),
        ("http://LOCALHOST:8080/v1", ("http", b"localhost", 8080), b"localhost:8080"),
        ("http://[::1]:8080/v1", ("http", b"::1", 8080), b"[::1]:8080"),
        ("https://[::1]/v1", ("https", b"::1", None), b"[::1]"),
        (
            "https://bücher.example/v1",
            ("https", b"xn--bcher-kva.example", None),
            b"xn--bcher-kva.example",
        ),
    ],
)
def test_a_url_names_the_origin(url, origin, host):
    made = build_request("GET", url, {})
    assert (made.url.scheme, made.url.raw_host, made.url.port) == origin
    assert b"\r\nhost: " + host + b"\r\n" in encode_head(made)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.openai.com/v1", ("api.openai.com", 443)),
        ("http://[::1]/v1", ("::1", 80)),
        ("https://bücher.example:8443/v1", ("xn--bcher-kva.example", 8443)),
    ],
)
def test_the_host_of_the_url_is_connected_to(url, address, transport, monkeypatch):
    addresses = []

    def refuse(address, _):
        addresses.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr("socket.getaddrinfo", lambda *address, **_: [(address,)])
    monkeypatch.setattr("socket.create_connection", refuse)
    with pytest.raises(httpx.ConnectError):
        exchange(transport, url)
    assert addresses == [address] * 2


@pytest.mark.parametrize(
    "query", ["a=%20&a=b", "include[]=x&include%5B%5D=y", "flag&t=a+b", "a=?/'|", "a=%zz%", "{`}"]
)
def test_a_query_is_sent_as_it_is(query):
    assert encoded(f"http://h/x?{query}", "GET").startswith(f"GET /x?{query} HTTP/1.1\r\n".encode())


def test_characters_that_no_url_has_are_encoded():
    assert encoded('http://h/x?"<>').startswith(b"POST /x?%22%3C%3E HTTP/1.1\r\n")
    assert encoded('http://h/a"<>b|c').startswith(b"POST /a%22%3C%3Eb|c HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "target",
    [
        "/x?a b", "/x?a\r\nx: y", "/x?a\nb", "/x?\t", "/x?\0", "/x?é", "/x?a#b", "/x\x7f",
        "/v1/../x", "/v1/./x", "/v1/..", "/" + 70_000 * "a", "?a", "",
    ],
)  # fmt: skip
def test_a_target_that_a_request_line_cannot_hold_is_refused(target):
    with pytest.raises(httpx.LocalProtocolError):
        encoded(f"http://h{target}")


@pytest.mark.parametrize(
    "authority",
    [
        "", ":80", "[::1", "h:x", "h:70000", "h:+80", "h:0", "u@h", "u:p@h", "h\r\nx: y", "h\0",
        "h h", "a..b", "x" * 64, "[::1]x", "999.1.1.1",
    ],
)  # fmt: skip
def test_an_authority_that_names_no_host_is_refused(authority):
    with pytest.raises(REFUSED):
        encoded(f"https://{authority}/x")


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "//h/x", "/x", "h/x", "http:/x", " http://h/x", "\nhttp://h/x", "ws://h/x"]
)
def test_a_url_that_is_not_of_http_is_refused(url):
    with pytest.raises(httpx.UnsupportedProtocol):
        encoded(url)


def test_a_request_of_httpx_itself_to_another_scheme_is_refused(transport):
    with pytest.raises(httpx.UnsupportedProtocol):
        transport.handle_request(httpx.Request("GET", "ws://h/x"))


@pytest.mark.parametrize("method", ["", "GE T", "GET\r\n", "GÉT"])
def test_a_method_that_is_not_a_token_is_refused(method):
    with pytest.raises(httpx.LocalProtocolError):
        encoded(method=method)


INVALID_VALUES = ["a\r\nb: c", "a\nb", "a\rb", "\0", "é", " a", "a ", "a\x7f"]


@pytest.mark.parametrize("value", INVALID_VALUES)
def test_a_header_that_is_not_valid_is_refused_and_not_repeated(value):
    with pytest.raises(httpx.LocalProtocolError) as raised:
        encoded(secret=value)
    assert str(raised.value) == "A header cannot be sent as it is."
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__ or raised.value.__context__ is None


@pytest.mark.parametrize("value", INVALID_VALUES)
def test_the_transport_checks_headers_before_it_connects(value):
    request = httpx.Request("GET", "http://127.0.0.1:1/", headers={"a": value.encode()})
    with plain_transport() as transport, pytest.raises(httpx.LocalProtocolError) as raised:
        transport.handle_request(request)
    assert str(raised.value) == "A header cannot be sent as it is."


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\nb", "é"])
def test_a_header_name_that_is_not_a_token_is_refused(name):
    with pytest.raises(httpx.LocalProtocolError):
        build_request("GET", "http://h/x", {name: "v"})


def chunks():
    yield b"a"
    yield b"b"


@pytest.mark.parametrize(
    "request_",
    [
        httpx.Request("POST", "http://127.0.0.1:1/", content=chunks()),
        httpx.Request("POST", "http://127.0.0.1:1/", content=b"a", headers={"content-length": "2"}),
        httpx.Request("POST", "http://127.0.0.1:1/", stream=httpx.ByteStream(b"a")),
        httpx.Request(
            "POST", "http://127.0.0.1:1/", content=b"a", headers=[("content-length", "1")] * 2
        ),
    ],
    ids=["chunked", "other length", "no length", "two lengths"],
)
def test_a_body_without_its_length_is_refused(request_, transport):
    with pytest.raises(httpx.LocalProtocolError):
        transport.handle_request(request_)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=20))
def test_any_input_becomes_one_request_or_none(query, value, name):
    try:
        head = encode_head(build_request("GET", f"http://h/x?{query}", {name: value}))
    except REFUSED:
        return
    lines = head.split(b"\r\n")
    count = 7 - (name in {"host", "accept", "connection"})  # which take the place of our own
    assert (len(lines), lines[-2:]) == (count, [b"", b""])
    assert len(lines[0].split(b" ")) == 3
    assert head.isascii()
    assert head.count(b"\n") == head.count(b"\r") == count - 1
