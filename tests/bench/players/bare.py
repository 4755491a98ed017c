"""`python -m tests.bench.players.bare PROVIDER`: a bare loop over the gateway's HTTP client.

What it reads is passed on, chunk by chunk, and nothing else is done with it.
"""

import socket
import ssl
import sys
from contextlib import closing

from antiphon.upstream.http1 import build_request
from antiphon.upstream.transport import LlhttpTransport
from tests.bench.players.requests import STREAM_HEAD, encode_whole
from tests.bench.players.threads import Serve, serve
from tests.bench.request import PATH

TIMEOUTS = {"timeout": {"connect": 5.0, "write": 30.0, "read": None}, "head_timeout": 60.0}
HEADERS = {"content-type": "application/json", "authorization": "Bearer credential"}


def begin() -> Serve:
    transport = LlhttpTransport(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), idle_seconds=300.0)

    def answer(connection: socket.socket, body: bytes) -> None:
        request = build_request("POST", sys.argv[1] + PATH, HEADERS, body, TIMEOUTS)
        with closing(transport.handle_request(request)) as response:
            if "content-length" in response.headers:
                connection.sendall(encode_whole(response.read()))
                return
            connection.sendall(STREAM_HEAD)
            for data in response.stream:
                connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
            connection.sendall(b"0\r\n\r\n")

    return answer


if __name__ == "__main__":
    serve("bare", begin)
