"""The Runtime API, call by call: its paths and its headers."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from antiphon.runtime.failure import ERROR_BODY, ERROR_TYPE, Failure
from antiphon.runtime.invocation import Invocation
from antiphon.runtime.wire import Connection, Disconnected, Refused, Response, head

ROOT = "/2018-06-01/runtime"
FIRST_ERROR_STATUS = 300
STREAMING = {
    "Content-Type": "application/vnd.awslambda.http-integration-response",
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Transfer-Encoding": "chunked",
    "Trailer": f"{ERROR_TYPE}, {ERROR_BODY}",
}


class RuntimeApi:
    """Every call may end in an `ApiError`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: Connection | None = None

    def next(self) -> Invocation:
        """Wait for an event; one cut connection is forgiven, after a second one Lambda is gone."""
        with suppress(Disconnected):
            return self._next()
        return self._next()

    def respond(self, invocation: Invocation, payload: bytes) -> None:
        headers = {"Content-Type": "application/json", **invocation.echo}
        self._post(f"invocation/{invocation.id}/response", headers, payload)

    def stream_head(self, invocation: Invocation) -> bytes:
        path = f"invocation/{invocation.id}/response"
        return self._head("POST", path, {**STREAMING, **invocation.echo})

    @contextmanager
    def streaming(self) -> Iterator[Connection]:
        """A connection to write one streamed answer to, head and chunks and end."""
        connection = self._connected()
        try:
            with _explained(connection):
                yield connection
                _accepted(connection.read())
        finally:
            connection.close()  # as the protocol wants it after each stream

    def fail(self, invocation: Invocation, failure: Failure) -> None:
        headers = {**_error_headers(failure), **invocation.echo}
        self._post(f"invocation/{invocation.id}/error", headers, failure.document(invocation.id))

    def fail_init(self, failure: Failure) -> None:
        self._post("init/error", _error_headers(failure), failure.document())

    def fail_restore(self, failure: Failure) -> None:
        self._post("restore/error", _error_headers(failure), failure.document())

    def await_restore(self) -> None:
        """Say that the snapshot may be taken; returns in an environment made from it."""
        self._exchange(self._head("GET", "restore/next", {}))

    def close(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None

    def _next(self) -> Invocation:
        response = self._exchange(self._head("GET", "invocation/next", {}))
        return Invocation(response.headers, response.body)

    def _post(self, path: str, headers: Mapping[str, str], body: bytes) -> None:
        sized = {**headers, "Content-Length": str(len(body))}
        self._exchange(self._head("POST", path, sized) + body)

    def _exchange(self, request: bytes) -> Response:
        connection = self._connected()
        with _explained(connection):
            connection.write(request)
            return _accepted(connection.read())

    def _head(self, method: str, path: str, headers: Mapping[str, str]) -> bytes:
        standing = {"Host": self._address, "User-Agent": "antiphon-runtime"}
        return head(method, f"{ROOT}/{path}", {**standing, **headers})

    def _connected(self) -> Connection:
        if self._connection and not self._connection.usable:
            self.close()
        self._connection = self._connection or Connection.to(self._address)
        return self._connection


@contextmanager
def _explained(connection: Connection) -> Iterator[None]:
    """A refusal that was given before the cut says more than the cut does."""
    try:
        yield
    except Disconnected:
        with suppress(Disconnected):
            _accepted(connection.read())
        raise


def _accepted(response: Response) -> Response:
    if response.status >= FIRST_ERROR_STATUS:
        said = response.body[:200].decode(errors="replace")
        raise Refused(f"The Runtime API answered {response.status}: {said}")
    return response


def _error_headers(failure: Failure) -> dict[str, str]:
    content_type = "application/vnd.aws.lambda.error+json"
    return {"Content-Type": content_type, ERROR_TYPE: failure.kind}
