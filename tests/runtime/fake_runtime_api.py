"""A fake of Lambda's Runtime API, whose every step the test makes."""

import socket
import struct
import time
from dataclasses import dataclass
from io import BufferedReader

PATIENCE_SECONDS = 60
ROOT = "/2018-06-01/runtime"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Post:
    """A request: its head, already read, and methods that read its body."""

    line: str
    headers: list[tuple[str, str]]
    _reader: BufferedReader

    def header(self, name):
        return dict(self.headers).get(name)

    def body(self):
        return self._reader.read(int(self.header("Content-Length")))

    def chunk(self):
        """The next chunk, every byte of its frame checked; None at the end."""
        size = self._reader.readline()
        data = self._reader.read(int(size, 16))
        assert size == b"%x\r\n" % len(data)
        if not data:
            return None
        assert self._reader.read(2) == b"\r\n"
        return data

    def chunks(self):
        return list(iter(self.chunk, None))

    def trailers(self):
        return list(self._fields())

    def _fields(self):
        while (field := self._reader.readline()) != b"\r\n":
            assert field.endswith(b"\r\n")
            name, _, value = field.decode("latin-1").strip().partition(": ")
            yield name, value


class FakeRuntimeApi:
    def __init__(self, listener=None):
        self._listener = listener or socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE_SECONDS)
        self._connection = None
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def another(self):
        """The same address, for the connection of another worker."""
        return FakeRuntimeApi(self._listener)

    def expect(self, line):
        """Wait for a request, on the open connection or on a new one."""
        if self._connection is None:
            self._connection, _ = self._listener.accept()
            self._connection.settimeout(PATIENCE_SECONDS)
            self._reader = self._connection.makefile("rb")
        first = self._reader.readline().decode().rstrip("\r\n")
        post = Post(first, [], self._reader)
        post.headers = post.trailers()
        assert first == line.replace(" ", f" {ROOT}/", 1) + " HTTP/1.1"
        assert post.header("Host") == self.address
        return post

    def give(self, event=b"{}", id="id-1", **headers):
        """Respond to the runtime's request for an event."""
        self.expect("GET invocation/next")
        self.reply(200, event, lambda_runtime_aws_request_id=id, **self._usual() | headers)

    def response(self, id="id-1"):
        return self.expect(f"POST invocation/{id}/response")

    def error(self, id="id-1"):
        return self.expect(f"POST invocation/{id}/error")

    def reply(self, status=202, body=b"", **headers):
        fields = {**headers, "content_length": len(body)}
        lines = [f"{name.replace('_', '-').title()}: {fields[name]}" for name in fields]
        head = "\r\n".join([f"HTTP/1.1 {status} Reason", *lines, "", ""])
        self._connection.sendall(head.encode() + body)

    def expect_close(self):
        assert self._reader.read() == b""
        self.cut()

    def cut(self):
        """Break the connection at once, also for what is still on its way."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.hang_up()

    def stop_reading(self):
        """Leave the connection open, unread, and return it; the runtime may open another."""
        stalled, self._connection = self._connection, None
        return stalled

    def hang_up(self):
        self._reader.close()
        self._connection.close()
        self._connection = None

    def close(self):
        self._listener.close()
        if self._connection:
            self.hang_up()

    def _usual(self):
        return {
            "lambda_runtime_deadline_ms": int(time.time() * 1000) + 120_000,
            "lambda_runtime_invoked_function_arn": "arn:aws:lambda:eu-west-1:1:function:f",
            "content_type": "application/json",
        }
