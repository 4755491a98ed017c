import pytest

from infra.local.wire import End, Head, Malformed, Requests

HEAD = b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n"
STREAM = HEAD + b"1\r\na\r\n2\r\nb\n\r\n0\r\nT: why\r\nU: v\r\n\r\nGET /y HTTP/1.1\r\n\r\n"
PARTS = [
    Head("POST", "/x", {"transfer-encoding": "chunked", "trailer": "T"}),
    b"a",
    b"b\n",
    End({"t": "why", "u": "v"}),
    Head("GET", "/y", {}),
    End({}),
]


def test_chunks_stay_apart_and_trailers_are_read():
    assert list(Requests().feed(STREAM)) == PARTS


def test_it_does_not_matter_where_the_bytes_are_cut():
    requests = Requests()
    found = [part for n in range(len(STREAM)) for part in requests.feed(STREAM[n : n + 1])]
    assert found == PARTS


def test_a_body_of_known_length_is_one_piece():
    parts = list(Requests().feed(b"POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc"))
    assert parts[1:] == [b"abc", End({})]


def test_a_stream_may_end_without_trailers():
    assert list(Requests().feed(HEAD + b"0\r\n\r\n"))[1:] == [End({})]


@pytest.mark.parametrize("data", [b"nonsense\r\n\r\n", HEAD + b"zz\r\n"])
def test_what_is_not_http_is_refused(data):
    with pytest.raises(Malformed):
        list(Requests().feed(data))
