"""`python -m tests.bench.players.bare PROVIDER`: a bare loop over the gateway's HTTP client.

What httpx reads is passed on, chunk by chunk, and nothing else is done with it.
"""

import socket
import sys

import httpx

from tests.bench.players.requests import STREAM_HEAD, whole
from tests.bench.players.threads import Serve, serve
from tests.bench.request import PATH


def begin() -> Serve:
    # The gateway, too, sets no time-out on a stream's reads.
    client = httpx.Client(base_url=sys.argv[1], timeout=None, trust_env=False)  # noqa: S113

    def answer(connection: socket.socket, body: bytes) -> None:
        with client.stream("POST", PATH, content=body) as response:
            if "content-length" in response.headers:
                connection.sendall(whole(response.read()))
                return
            connection.sendall(STREAM_HEAD)
            for data in response.iter_raw():
                connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
            connection.sendall(b"0\r\n\r\n")

    return answer


if __name__ == "__main__":
    serve("bare", begin)
