"""Event in, answer out, for as long as the process lives."""

import os
from dataclasses import dataclass
from typing import NoReturn

from antiphon.runtime import sam
from antiphon.runtime.answer import Streamed, is_http, marshalled
from antiphon.runtime.client import RuntimeApi
from antiphon.runtime.failure import Failure, is_exit, log
from antiphon.runtime.handler import Handler
from antiphon.runtime.invocation import Context, Invocation
from antiphon.runtime.stream import ending
from antiphon.runtime.wire import ApiError, chunk


@dataclass(frozen=True)
class Loop:
    api: RuntimeApi
    handler: Handler
    buffers: bool  # for `sam local`, which cannot read a stream

    def run(self) -> NoReturn:
        """Ends with an `ApiError` when Lambda is gone, or as the handler asks to exit."""
        while True:
            self.serve(self.api.next())

    def serve(self, invocation: Invocation) -> None:
        _trace(invocation.trace_id)
        try:
            error = self._answer(invocation)
        except ApiError as lost:  # this answer's loss; if the API is gone, `next` will tell
            log(f"[WARNING] An answer was lost. {lost}")
            return
        if is_exit(error):
            raise SystemExit(1) from error

    def _answer(self, invocation: Invocation) -> BaseException | None:
        """Gives back what the handler failed with, after Lambda has been told."""
        try:
            answer = self._ask(invocation)
        except BaseException as error:  # noqa: BLE001  whatever it is, the caller is waiting
            failure = Failure.of(error)
            failure.log()
            self.api.fail(invocation, failure)
            return error
        if isinstance(answer, Streamed):
            return self._stream(invocation, answer)
        self.api.respond(invocation, answer)
        return None

    def _ask(self, invocation: Invocation) -> Streamed | bytes:
        context = Context.of(invocation, os.environ)
        result = self.handler(invocation.event(), context)
        if not is_http(result):
            return marshalled(result)
        return marshalled(sam.folded(result)) if self.buffers else Streamed.of(result)

    def _stream(self, invocation: Invocation, answer: Streamed) -> BaseException | None:
        try:
            with self.api.streaming() as connection:
                opening = self.api.stream_head(invocation) + chunk(answer.opening)
                error = answer.outlet.run(connection.write, opening, answer.rest)
                failure = Failure.of(error) if error else None
                if failure:
                    failure.log()
                connection.write(ending(failure, invocation.id))
        finally:
            answer.close()
        return error


def _trace(trace_id: str | None) -> None:
    if trace_id:
        os.environ["_X_AMZN_TRACE_ID"] = trace_id
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
