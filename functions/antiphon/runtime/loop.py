"""The invocation loop: get an event, call the handler, send its response, for ever."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from antiphon.runtime.api import RuntimeApi
from antiphon.runtime.failure import EXITS, Failure, log
from antiphon.runtime.invocation import Context, Invocation
from antiphon.runtime.response import (
    StreamedResponse,
    buffer_result,
    encode_json,
    is_http_result,
    last_chunk,
)
from antiphon.runtime.wire import ApiError, Connection, encode_chunk

type Handler = Callable[[Any, Context], object]


@dataclass
class Loop:
    """Serves invocations one after the other with one handler."""

    api: RuntimeApi
    handler: Handler
    is_buffered: bool  # for `sam local`, which cannot read a stream
    # A copy, made when nothing in it changes any more: to read `os.environ` decodes each value.
    _env: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    _streaming: StreamedResponse | None = None
    _is_ending: bool = False

    def run(self) -> NoReturn:
        """Ends with `ApiError` when Lambda is gone, with `SystemExit` when the handler exits."""
        signal.signal(signal.SIGTERM, self._terminate)
        while not self._is_ending:
            self.serve(self.api.next_invocation())
        raise SystemExit(0)

    def _terminate(self, *_: object) -> None:
        """On SIGTERM end at once, or when the response that is being streamed has ended."""
        if self._streaming is None:
            raise SystemExit(0)
        self._is_ending = True
        self._streaming.interrupt()

    def serve(self, invocation: Invocation) -> None:
        """Call the handler and send what it returns or raises."""
        _set_trace_id(invocation.trace_id)
        try:
            error = self._respond(invocation)
        except ApiError as api_error:  # only this response is lost; if Lambda is gone, `run` ends
            log("WARN", f"A response was not delivered. {api_error}")
            return
        if isinstance(error, EXITS):
            raise SystemExit(1) from error

    def _respond(self, invocation: Invocation) -> BaseException | None:
        """Return the handler's exception, after it was reported to Lambda; None if it succeeded."""
        try:
            response = self._call_handler(invocation)
        except BaseException as error:  # noqa: BLE001  the caller waits for any response
            failure = Failure.from_exception(error)
            failure.log(invocation.id)
            self.api.report_invocation_error(invocation, failure)
            return error
        if isinstance(response, StreamedResponse):
            return self._stream(invocation, response)
        self.api.send_response(invocation, response)
        return None

    def _call_handler(self, invocation: Invocation) -> StreamedResponse | bytes:
        context = Context.from_invocation(invocation, self._env)
        result = self.handler(invocation.parse_event(), context)
        if not is_http_result(result):
            return encode_json(result)
        if self.is_buffered:
            return encode_json(buffer_result(result))
        return StreamedResponse.from_result(result)

    def _stream(self, invocation: Invocation, response: StreamedResponse) -> BaseException | None:
        self._streaming = response
        try:
            with self.api.open_stream(invocation) as connection:
                head = self.api.encode_stream_head(invocation)
                opening = head + encode_chunk(response.first_chunk)
                if response.is_whole:
                    connection.write(opening + last_chunk(None, invocation.id))
                    return None
                return _write_stream(connection, opening, response, invocation.id)
        finally:
            response.close()
            self._streaming = None


def _write_stream(
    connection: Connection, opening: bytes, response: StreamedResponse, request_id: str
) -> BaseException | None:
    error = response.writer.write_body(connection.write, opening, response.chunks)
    failure = Failure.from_exception(error) if error else None
    if failure:
        failure.log(request_id)
    connection.write(last_chunk(failure, request_id))
    return error


def _set_trace_id(trace_id: str | None) -> None:
    """Publish the X-Ray trace id where AWS's SDKs read it."""
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
