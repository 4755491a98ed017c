"""The handler that `_HANDLER` names, and another one for a process that goes on as a copy."""

import importlib
import os
import random
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType

from antiphon.runtime.failure import Fault
from antiphon.runtime.loop import Handler


@dataclass(frozen=True, eq=False, repr=False)
class Entry:
    """A function of a module; the module may have `create_<name>`, which makes such a function."""

    module: ModuleType
    name: str

    @property
    def handler(self) -> Handler:
        handler: Handler = getattr(self.module, self.name)
        return handler

    def renew(self) -> Handler:
        """Return the handler for a copy of this process: restored from a snapshot, or forked.

        Copies must not have the same random numbers, nor use the same connections, TLS sessions
        or cached credentials: so random state is made anew, and the handler with all that it has.
        https://docs.aws.amazon.com/lambda/latest/dg/snapstart-uniqueness.html
        """
        _renew_random_state()
        create: Callable[[], Handler] | None = getattr(self.module, f"create_{self.name}", None)
        if create is not None:
            setattr(self.module, self.name, create())  # in its place, so that the old one is freed
        return self.handler


def load_entry(env: Mapping[str, str]) -> Entry:
    """Import the module of `_HANDLER`: `module.function` or `folder/module.function`.

    Raises `Fault` where the name or the import is wrong, and whatever the module itself raises.
    """
    extend_path(env)
    module_name, _, function_name = env["_HANDLER"].rpartition(".")
    if not module_name:
        raise Fault("Runtime.MalformedHandlerName", f"Handler '{function_name}' names no module.")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module_name}': {error}"
        raise Fault("Runtime.ImportModuleError", message) from error
    if not callable(getattr(module, function_name, None)):
        message = f"Handler '{function_name}' missing on module '{module.__name__}'"
        raise Fault("Runtime.HandlerNotFound", message)
    return Entry(module, function_name)


def extend_path(env: Mapping[str, str]) -> None:
    """Import modules from where the managed runtime does: task root, layers, Lambda's own SDK."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = [env["LAMBDA_TASK_ROOT"], f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    if "LAMBDA_RUNTIME_DIR" in env:
        folders.append(env["LAMBDA_RUNTIME_DIR"])
    sys.path[:] = folders + [folder for folder in sys.path if folder not in folders]


def _renew_random_state() -> None:
    """`random` and OpenSSL have state in the process; `os.urandom`, `uuid4`, `secrets` have none.

    Lambda gives the kernel of a restored environment new entropy before this runs.
    """
    random.seed()
    if "ssl" in sys.modules:  # else OpenSSL has no state, and its import would take 15 ms
        sys.modules["ssl"].RAND_add(os.urandom(64), 64.0)
