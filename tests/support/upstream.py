"""Peers on loopback sockets that send given bytes, certificates, and transports that meet them."""

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from antiphon.upstream.http1 import (
    Received,
    ResponseParser,
    build_request,
    decode_content,
)
from antiphon.upstream.transport import BodyStream, LlhttpTransport, Outgoing

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # it trusts nobody
IDLE_SECONDS = 20.0
TIMEOUTS = {"connect": 5.0, "write": 5.0, "read": 5.0, "pool": 5.0}

type Converse = Callable[[socket.socket], None]


@dataclass
class Peer:
    """Handles each connection with the next of `turns`, then closes it."""

    turns: list[Converse]
    tls: ssl.SSLContext | None = None
    heads: list[bytes] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/v1"

    def respond_with_bytes(self, *pieces: bytes, answers: int = 1) -> Converse:
        """Reads a request and sends the pieces, as many times as `answers` states."""

        def converse(connection: socket.socket) -> None:
            for _ in range(answers):
                self.read_request(connection)
                for piece in pieces:
                    connection.sendall(piece)

        return converse

    def read_request(self, connection: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = connection.recv(1)
            if not byte:
                raise ConnectionResetError
            head += byte
        self.heads.append(head)
        _, found, length = head.partition(b"content-length: ")
        left, body = int(length.split(b"\r\n")[0]) if found else 0, b""
        while len(body) < left:
            body += connection.recv(65_536)
        self.bodies.append(body)


@contextmanager
def run_peer(*turns: Converse | bytes, tls: ssl.SSLContext | None = None) -> Iterator[Peer]:
    """Runs a peer; bytes mean one response and the end of the connection."""
    made = Peer([], tls)
    made.turns += [
        made.respond_with_bytes(turn) if isinstance(turn, bytes) else turn for turn in turns
    ]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        made.port = listener.getsockname()[1]
        serving = threading.Thread(target=_serve, args=(listener, made))
        serving.start()
        try:
            yield made
        finally:
            with contextlib.suppress(OSError):  # not connected, which does not matter
                listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listener: socket.socket, made: Peer) -> None:
    with contextlib.suppress(OSError):  # no longer listening
        while True:
            connection, _ = listener.accept()
            with contextlib.suppress(OSError, IndexError), connection:
                _handle(connection, made)


def _handle(connection: socket.socket, made: Peer) -> None:
    if made.tls is not None:
        connection = made.tls.wrap_socket(connection, server_side=True)
    with connection:
        made.turns.pop(0)(connection)


@contextmanager
def plain_transport(clock: Callable[[], float] = time.time) -> Iterator[LlhttpTransport]:
    with closing(LlhttpTransport(NO_TLS, IDLE_SECONDS, clock=clock)) as transport:
        yield transport


@dataclass(frozen=True)
class Over:
    """Any of httpx's transports, in the place of the functions' own."""

    transport: httpx.BaseTransport

    def send(self, outgoing: Outgoing) -> Received:
        head, *lines = outgoing.head.decode().removesuffix("\r\n\r\n").split("\r\n")
        headers = [tuple(line.split(": ", 1)) for line in lines]
        limits = {**outgoing.limits}
        request = httpx.Request(
            head.split()[0],
            outgoing.place.url,
            headers=headers,
            content=outgoing.body,
            extensions=limits,
        )
        response = self.transport.handle_request(request)
        connection = response.extensions.get("network_stream")
        return Received(response.status_code, response.headers.raw, response.stream, connection)


def request_to(
    url: str, method: str = "POST", body: bytes = b"{}", **extensions: object
) -> httpx.Request:
    """`timeout` replaces single values of TIMEOUTS."""
    timeout = {**TIMEOUTS, **extensions.pop("timeout", {})}
    return build_request(method, url, {"x-a": "b"}, body, {"timeout": timeout, **extensions})


def exchange(
    transport: httpx.BaseTransport, url: str, *args: object, **extensions: object
) -> tuple[int, dict[str, str], bytes]:
    """Sends a request, reads the response to its end and closes it."""
    with closing(transport.handle_request(request_to(url, *args, **extensions))) as response:
        return response.status_code, dict(response.headers), response.read()


@dataclass
class Parsed:
    body: bytes
    response: httpx.Response
    can_reuse_connection: bool


def parse_response(*pieces: bytes, method: str = "POST") -> Parsed:
    """Parses a response from memory that arrives in these pieces, then ends."""
    parser = ResponseParser(method)
    left = iter([piece for piece in pieces if piece])
    while True:
        if not (piece := next(left, b"")):
            raise httpx.RemoteProtocolError("The connection ended before the response did.")
        if parser.feed_head(piece):
            break
    released: list[bool] = []
    stream = BodyStream(parser, lambda: next(left, b""), released.append)
    received = decode_content(method, Received(parser.status, parser.headers, stream))
    with closing(received):
        body = b"".join(received.stream)
    response = httpx.Response(received.status, headers=[*received.fields])
    return Parsed(body, response, released == [True])


HOUR = timedelta(hours=1)


def create_certificate(folder: Path, address: str = "127.0.0.1") -> Path:
    """Writes a file with a key and a self-signed certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=1,
        not_valid_before=now - HOUR,
        not_valid_after=now + HOUR,
    ).add_extension(alternative, critical=False)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / f"{address}.pem"
    path.write_bytes(
        private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return path


def make_server_context(path: Path) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(path)
    return made
