"""`python -m tests.bench.players.bare PROVIDER`: a bare loop over the gateway's HTTP client.

What it reads is passed on, chunk by chunk, and nothing else is done with it.
"""

import socket
import ssl
import sys
from contextlib import closing

from antiphon.relay.transport.client import Client
from antiphon.relay.transport.connection import Patience
from antiphon.relay.transport.outgoing import Outgoing
from tests.bench.players.requests import STREAM_HEAD, whole
from tests.bench.players.threads import Serve, serve
from tests.bench.request import PATH

PATIENCE = Patience(connect=5.0, head=60.0)
HEADERS = {"content-type": "application/json", "authorization": "Bearer credential"}


def begin() -> Serve:
    client = Client(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), idle_seconds=300.0)

    def answer(connection: socket.socket, body: bytes) -> None:
        outgoing = Outgoing.to(sys.argv[1] + PATH, "POST", HEADERS, body)
        with closing(client.send(outgoing, PATIENCE)) as response:
            if "content-length" in response.headers:
                connection.sendall(whole(response.read()))
                return
            connection.sendall(STREAM_HEAD)
            for data in response:
                connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
            connection.sendall(b"0\r\n\r\n")

    return answer


if __name__ == "__main__":
    serve("bare", begin)
