import h11
import pytest

from infra.local.runtime_api.http_requests import RequestEnd, RequestHead, RequestReader

HEAD = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
STREAM = (
    HEAD + b"1\r\na\r\n2\r\nb\n\r\n0\r\nT: why\r\nU: v\r\n\r\nGET /y HTTP/1.1\r\nHost: h\r\n\r\n"
)
PARTS = [
    RequestHead("POST", "/x", {"host": "h", "transfer-encoding": "chunked", "trailer": "T"}),
    b"a",
    b"b\n",
    RequestEnd({"t": "why", "u": "v"}),
    RequestHead("GET", "/y", {"host": "h"}),
    RequestEnd({}),
]


def test_chunks_are_not_merged_and_trailers_are_read():
    assert list(RequestReader().feed(STREAM)) == PARTS


def test_the_bytes_may_be_split_anywhere():
    requests = RequestReader()
    found = [part for n in range(len(STREAM)) for part in requests.feed(STREAM[n : n + 1])]
    assert found == PARTS


def test_a_body_of_known_length_is_one_piece():
    parts = list(
        RequestReader().feed(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc")
    )
    assert parts[1:] == [b"abc", RequestEnd({})]


def test_a_stream_may_end_without_trailers():
    assert list(RequestReader().feed(HEAD + b"0\r\n\r\n"))[1:] == [RequestEnd({})]


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", HEAD + b"zz\r\n"])
def test_invalid_http_is_refused(data):
    with pytest.raises(h11.RemoteProtocolError):
        list(RequestReader().feed(data))
