"""`python -m antiphon.runtime`, as functions/start-streaming runs it: start, then loop."""

import io
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import NoReturn

from antiphon.runtime import hooks
from antiphon.runtime.client import RuntimeApi
from antiphon.runtime.failure import Failure, log
from antiphon.runtime.handler import Handler, extend_path, load
from antiphon.runtime.loop import Loop
from antiphon.runtime.wire import ApiError


def run(api: RuntimeApi, env: Mapping[str, str]) -> NoReturn:
    handler = _or_exit(lambda: _load(env), api.fail_init)
    if env.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _or_exit(hooks.run_before_snapshot, api.fail_init)
        api.await_restore()
        _or_exit(hooks.run_after_restore, api.fail_restore)
    Loop(api, handler, buffers=env.get("AWS_SAM_LOCAL") == "true").run()


def _load(env: Mapping[str, str]) -> Handler:
    extend_path(env)
    return load(env["_HANDLER"])


def _or_exit[T](step: Callable[[], T], tell: Callable[[Failure], None]) -> T:
    """Lambda learns why a start failed from one last call."""
    try:
        return step()
    except BaseException as error:
        failure = Failure.of(error)
        failure.log()
        tell(failure)
        raise SystemExit(1) from error


def main() -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):  # a record leaves whole and at once
        sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    try:
        with closing(RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])) as api:
            run(api, os.environ)
    except ApiError as error:
        log(f"[ERROR] Runtime.Gone: {error}")
        return 1
    except KeyboardInterrupt:  # Ctrl-C between two invocations, on a developer's machine
        return 130


if __name__ == "__main__":
    sys.exit(main())
