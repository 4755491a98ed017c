"""The calls of Lambda's Runtime API: their paths, headers and bodies.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from antiphon.runtime.failure import ERROR_BODY, ERROR_TYPE, Failure
from antiphon.runtime.invocation import Invocation
from antiphon.runtime.wire import ApiResponse, Connection, Disconnected, Refused, encode_head

ROOT = "/2018-06-01/runtime"
FIRST_ERROR_STATUS = 300
RESERVED_SECONDS = 5.0  # before Lambda's deadline, at most an eighth of the time that is left
MESSAGE_BYTES = 200  # of a refusal's body that the log contains
STREAMING_HEADERS = {
    "Content-Type": "application/vnd.awslambda.http-integration-response",
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Transfer-Encoding": "chunked",
    "Trailer": f"{ERROR_TYPE}, {ERROR_BODY}",
}


class RuntimeApi:
    """Lambda's Runtime API at `host:port`, over one connection. Every call may raise `ApiError`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: Connection | None = None

    def next_invocation(self) -> Invocation:
        """Wait for an event; reconnects once, since Lambda is gone after a second broken try."""
        with suppress(Disconnected):
            return self._get_invocation()
        return self._get_invocation()

    def send_response(self, invocation: Invocation, payload: bytes) -> None:
        """Send a response that is JSON and complete."""
        headers = {"Content-Type": "application/json", **invocation.echo_headers}
        self._post(f"invocation/{invocation.id}/response", headers, payload)

    def encode_stream_head(self, invocation: Invocation) -> bytes:
        """The head of a streamed response, for a connection from `open_stream`."""
        path = f"invocation/{invocation.id}/response"
        return self._encode_head("POST", path, {**STREAMING_HEADERS, **invocation.echo_headers})

    @contextmanager
    def open_stream(self, invocation: Invocation) -> Iterator[Connection]:
        """Yield a connection for one streamed response, from its head to its last chunk.

        Then reads the Runtime API's response, and closes the connection, as each stream requires.
        A write that blocks fails early enough for the body to close before Lambda's deadline.
        """
        connection = self._connect()
        if invocation.deadline_ms:
            left = max(invocation.deadline_ms / 1000 - time.time(), 0)
            reserved = min(RESERVED_SECONDS, left / 8)
            connection.set_deadline(time.monotonic() + left - reserved)
        try:
            with _prefer_refusal(connection):
                yield connection
                _check_status(connection.read())
        finally:
            connection.close()

    def report_invocation_error(self, invocation: Invocation, failure: Failure) -> None:
        """End an invocation with an error in place of a response."""
        headers = {**_error_headers(failure), **invocation.echo_headers}
        self._post(f"invocation/{invocation.id}/error", headers, failure.to_json(invocation.id))

    def report_init_error(self, failure: Failure) -> None:
        """Report why the handler could not be loaded."""
        self._post("init/error", _error_headers(failure), failure.to_json())

    def report_restore_error(self, failure: Failure) -> None:
        """Report why the environment cannot go on after SnapStart's snapshot."""
        self._post("restore/error", _error_headers(failure), failure.to_json())

    def wait_for_restore(self) -> None:
        """Let SnapStart take the snapshot; returns in an environment restored from it."""
        self._exchange(self._encode_head("GET", "restore/next", {}))

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _get_invocation(self) -> Invocation:
        response = self._exchange(self._encode_head("GET", "invocation/next", {}))
        return Invocation(response.headers, response.body)

    def _post(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        sized = {**headers, "Content-Length": str(len(body))}
        self._exchange(self._encode_head("POST", path, sized) + body)

    def _exchange(self, request: bytes) -> ApiResponse:
        connection = self._connect()
        with _prefer_refusal(connection):
            connection.write(request)
            return _check_status(connection.read())

    def _encode_head(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        standard = {"Host": self._address, "User-Agent": "antiphon-runtime"}
        return encode_head(method, f"{ROOT}/{path}", {**standard, **headers})

    def _connect(self) -> Connection:
        if self._connection and not self._connection.is_usable:
            self.close()
        self._connection = self._connection or Connection.open(self._address)
        return self._connection


@contextmanager
def _prefer_refusal(connection: Connection) -> Iterator[None]:
    """Raise `Refused` for a broken connection where an error response came before it broke."""
    try:
        yield
    except Disconnected:
        with suppress(Disconnected):
            _check_status(connection.read())
        raise


def _check_status(response: ApiResponse) -> ApiResponse:
    if response.status >= FIRST_ERROR_STATUS:
        message = response.body[:MESSAGE_BYTES].decode(errors="replace")
        raise Refused(f"The Runtime API responded with status {response.status}: {message}")
    return response


def _error_headers(failure: Failure) -> dict[str, str]:
    content_type = "application/vnd.aws.lambda.error+json"
    return {"Content-Type": content_type, ERROR_TYPE: failure.error_type}
