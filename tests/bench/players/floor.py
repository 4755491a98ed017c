"""`python -m tests.bench.players.floor PROVIDER`: the least a proxy in plain Python can do.

It reads no key, checks nothing and remembers nothing: a floor to measure from.
"""

import http.client
import socket
import sys
from urllib.parse import urlsplit

from tests.bench.players.requests import STREAM_HEAD, encode_whole
from tests.bench.players.threads import Serve, serve
from tests.bench.request import PATH

READ_BYTES = 65_536
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer credential"}


def begin() -> Serve:
    client = http.client.HTTPConnection(urlsplit(sys.argv[1]).netloc)

    def answer(connection: socket.socket, body: bytes) -> None:
        client.request("POST", PATH, body, HEADERS)
        response = client.getresponse()
        if response.length is not None:
            connection.sendall(encode_whole(response.read()))
            return
        connection.sendall(STREAM_HEAD)
        while data := response.read1(READ_BYTES):
            connection.sendall(b"%x\r\n%b\r\n" % (len(data), data))
        connection.sendall(b"0\r\n\r\n")

    return answer


if __name__ == "__main__":
    serve("floor", begin)
