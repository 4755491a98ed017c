"""`python -m antiphon.runtime`, run by functions/start-streaming: loads the handler, then loops."""

import gc
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import NoReturn

from antiphon.runtime.api import RuntimeApi
from antiphon.runtime.entry import Entry, load_entry
from antiphon.runtime.failure import Failure, Fault, log
from antiphon.runtime.loop import Handler, Loop
from antiphon.runtime.wire import ApiError

RESTORE_SECONDS = 9.0  # Lambda ends an environment that is not restored after 10, without a reason


def run(api: RuntimeApi, env: Mapping[str, str]) -> NoReturn:
    """Load the handler that `_HANDLER` names and serve invocations with it."""
    gc.disable()  # a tenth of the start, and nothing of what it makes is garbage
    entry = _exit_on_error(lambda: load_entry(env), api.report_init_error)
    concurrency = int(env.get("AWS_LAMBDA_MAX_CONCURRENCY") or 1)
    if concurrency > 1:
        _run_workers(concurrency, entry, env)
    handler = entry.handler
    if env.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        handler = _exit_on_error(lambda: _restore(api, entry), api.report_restore_error)
    _loop(api, handler, env)


def _loop(api: RuntimeApi, handler: Handler, env: Mapping[str, str]) -> NoReturn:
    gc.freeze()  # what is there now stays: no collection looks at it again
    gc.enable()
    Loop(api, handler, is_buffered=env.get("AWS_SAM_LOCAL") == "true").run()


def _run_workers(count: int, entry: Entry, env: Mapping[str, str]) -> NoReturn:
    """Serve in so many processes, each with a handler and a Runtime API connection of its own."""
    # Imported here because multiprocessing adds to the start time.
    from antiphon.runtime.workers import (  # noqa: PLC0415  see above
        LAMBDA_IS_GONE,
        Workers,
        redirect_output,
    )

    def serve(mark_started: Callable[[], None]) -> NoReturn:
        if output := env.get("_LAMBDA_TELEMETRY_LOG_FD_PROVIDER_SOCKET"):
            redirect_output(output)
        with _exit_on_loss(LAMBDA_IS_GONE), closing(_connect(env)) as api:
            handler = _exit_on_error(entry.renew, api.report_init_error)
            mark_started()
            _loop(api, handler, env)

    Workers(count, serve).run()


def _connect(env: Mapping[str, str]) -> RuntimeApi:
    return RuntimeApi(env["AWS_LAMBDA_RUNTIME_API"])


@contextmanager
def _exit_on_loss(status: int) -> Iterator[None]:
    """Log that the Runtime API is gone, and exit."""
    try:
        yield
    except ApiError as error:
        log("ERROR", f"Runtime.Gone: {error}")
        raise SystemExit(status) from error


def _restore(api: RuntimeApi, entry: Entry) -> Handler:
    """Let SnapStart take the snapshot; goes on in each environment that is restored from it.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
    """
    api.wait_for_restore()
    with limit_restore(RESTORE_SECONDS):
        return entry.renew()


@contextmanager
def limit_restore(seconds: float) -> Iterator[None]:
    """Raise `Fault` in the block, whatever it waits for, after so many seconds."""

    def end(*_: object) -> NoReturn:
        raise Fault("Runtime.RestoreTimeout", f"The restore took longer than {seconds:g} s.")

    previous = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _exit_on_error[T](step: Callable[[], T], report: Callable[[Failure], None]) -> T:
    """Run a step of the start; if it raises, log and report why, and exit with status 1."""
    try:
        return step()
    except BaseException as error:
        failure = Failure.from_exception(error)
        failure.log()
        report(failure)
        raise SystemExit(1) from error


def main() -> int:
    """Run until Lambda stops the process; return its exit status, or raise SystemExit with it."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # write each log record whole and at once
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        with _exit_on_loss(1), closing(_connect(os.environ)) as api:
            run(api, os.environ)
    except KeyboardInterrupt:  # Ctrl-C between two invocations, on a developer's machine
        return 130


if __name__ == "__main__":
    sys.exit(main())
