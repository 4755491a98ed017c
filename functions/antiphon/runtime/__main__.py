"""`python -m antiphon.runtime`, run by functions/start-streaming: loads the handler, then loops."""

import importlib
import io
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import NoReturn

from antiphon.runtime.api import RuntimeApi
from antiphon.runtime.failure import Failure, Fault, log
from antiphon.runtime.loop import Handler, Loop
from antiphon.runtime.wire import ApiError


def run(api: RuntimeApi, env: Mapping[str, str]) -> NoReturn:
    """Load the handler that `_HANDLER` names and serve invocations with it.

    With SnapStart, `restore/next` blocks while Lambda takes the snapshot and returns in each
    environment that is restored from it; a failure there goes to `restore/error`.
    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks.html
    """
    handler = _exit_on_error(lambda: _load(env), api.report_init_error)
    if env.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _exit_on_error(api.wait_for_restore, api.report_restore_error)
    Loop(api, handler, is_buffered=env.get("AWS_SAM_LOCAL") == "true").run()


def _load(env: Mapping[str, str]) -> Handler:
    extend_path(env)
    return load_handler(env["_HANDLER"])


def extend_path(env: Mapping[str, str]) -> None:
    """Import modules from where the managed runtime does: task root, layers, Lambda's own SDK."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = [env["LAMBDA_TASK_ROOT"], f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    if "LAMBDA_RUNTIME_DIR" in env:
        folders.append(env["LAMBDA_RUNTIME_DIR"])
    sys.path[:] = folders + [folder for folder in sys.path if folder not in folders]


def load_handler(name: str) -> Handler:
    """Import the function named by `module.function` or `folder/module.function`.

    Raises `Fault` where the name or the import is wrong, and whatever the module itself raises.
    """
    module_name, _, function_name = name.rpartition(".")
    if not module_name:
        raise Fault("Runtime.MalformedHandlerName", f"Handler '{name}' names no module.")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Fault("Runtime.ImportModuleError", message) from error
    handler: Handler | None = getattr(module, function_name, None)
    if not callable(handler):
        message = f"Handler '{function_name}' missing on module '{module.__name__}'"
        raise Fault("Runtime.HandlerNotFound", message)
    return handler


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
    """Run until Lambda stops the process; return its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # write each log record whole and at once
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
