"""Plays a provider byte by byte: what it got is kept, what it answers is scripted."""

import contextlib
import queue
import socket
import struct
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import cached_property

MOST_WAITING = 16  # requests that nobody expected, of one test
PATIENCE = 30  # seconds after which a test has failed, not a time it takes


@dataclass(frozen=True)
class Received:
    """One request as it came off the wire."""

    head: bytes
    body: bytes

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode()

    @cached_property
    def headers(self) -> dict[str, str]:
        rows = (row.partition(b":") for row in self.head.split(b"\r\n")[1:] if row)
        return {name.decode().lower(): value.strip().decode("latin-1") for name, _, value in rows}


class Gate:
    """The script waits here until the test opens it."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def open(self) -> None:
        self._event.set()

    def wait(self) -> bool:
        return self._event.wait(PATIENCE)


RESET = object()  # the connection is reset here
CLOSE = object()  # the connection is closed here


MODELS = b'{"object":"list","data":[{"id":"gpt-5","object":"model"},{"id":"dall-e"}]}'


class Provider:
    """Each request takes the next script: bytes to send, gates to wait at, RESET or CLOSE."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self._asked_later: list[Received] = []  # by settle, in the background
        self.hung_up = threading.Event()
        self._gates: list[Gate] = []
        self._scripts: queue.Queue[tuple[object, ...]] = queue.Queue()
        self._later: defaultdict[str, deque[tuple[object, ...]]] = defaultdict(deque)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def answers(self, *script: object) -> None:
        self._scripts.put(script)
        self._gates += [step for step in script if isinstance(step, Gate)]

    def answers_later(self, id: str, *script: object) -> None:
        """For settle, which asks when it likes; where no script is left, it hears of no such id."""
        self._later[id].append(script)

    def asked_later(self, id: str) -> list[Received]:
        """How settle asked after a response; it may still ask after those of other tests."""
        return [got for got in self._asked_later if f"/{id}" in got.line]

    def forget(self) -> None:
        """Nothing asked, nothing scripted, nobody waiting."""
        while self._gates:
            self._gates.pop().open()
        self.received.clear()
        self._asked_later.clear()
        self.hung_up.clear()
        self._later.clear()
        waited, self._scripts = self._scripts, queue.Queue()
        for _ in range(MOST_WAITING):  # whoever still waits for a script of the test before
            waited.put((CLOSE,))

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed at the end
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as reader:
            try:
                while self._answer(connection, reader):
                    pass
            except OSError:  # the gateway hung up first
                self.hung_up.set()

    def _answer(self, connection: socket.socket, reader) -> bool:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            row = reader.readline()
            if not row:
                self.hung_up.set()
                return False
            head += row
        request = Received(head, b"")
        length = int(request.headers.get("content-length", 0))
        request = Received(head, reader.read(length))
        try:
            script = self._script(request)
        except queue.Empty:  # nobody expected this request: the gateway gets no answer
            return False
        return all(_play(connection, step) for step in script)

    def _script(self, request: Received) -> tuple[object, ...]:
        if request.line == "GET /v1/models HTTP/1.1":  # asked for now and then, and remembered
            return (whole(MODELS),)
        if not request.headers.get("x-client-request-id", "").startswith("antiphon-settle-"):
            self.received.append(request)
            return self._scripts.get(timeout=PATIENCE)
        self._asked_later.append(request)
        path = request.line.split()[1].partition("?")[0]
        scripts = self._later[path.rpartition("/")[2]]
        return scripts.popleft() if scripts else (whole(b'{"error":{}}', status=404),)


def _play(connection: socket.socket, step: object) -> bool:
    if isinstance(step, bytes):
        connection.sendall(step)
    elif isinstance(step, Gate):
        return step.wait()
    elif step is RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    return step is not RESET and step is not CLOSE


def whole(body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
    """An answer with a length."""
    return _head(status, kind, {"content-length": str(len(body)), **headers}) + body


def stream_head(status: int = 200, *, chunked: bool = True, **headers: str) -> bytes:
    framing = {"transfer-encoding": "chunked"} if chunked else {"connection": "close"}
    return _head(status, "text/event-stream; charset=utf-8", {**framing, **headers})


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


END = chunk(b"")


def streamed(*chunks: bytes, **headers: str) -> bytes:
    """A whole event stream in one piece of script."""
    return stream_head(**headers) + b"".join(map(chunk, chunks)) + END


def _head(status: int, kind: str, headers: dict[str, str]) -> bytes:
    rows = {"content-type": kind, "x-request-id": "req_of_provider"}
    rows |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in rows.items())
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode()
