"""Finds the function that `_HANDLER` names."""

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

from antiphon.runtime.failure import Fault
from antiphon.runtime.invocation import Context

type Handler = Callable[[Any, Context], object]


def extend_path(env: Mapping[str, str]) -> None:
    """Look for modules where the managed runtime does: task root, layers, the SDK it brings."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    places = [env["LAMBDA_TASK_ROOT"], f"/opt/python/lib/{version}/site-packages", "/opt/python"]
    if "LAMBDA_RUNTIME_DIR" in env:
        places.append(env["LAMBDA_RUNTIME_DIR"])
    sys.path[:] = places + [place for place in sys.path if place not in places]


def load(name: str) -> Handler:
    """`api.handler`, or `folder/module.handler`; raises `Fault`, or what the module itself does."""
    module, _, function = name.rpartition(".")
    if not module:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': no module in it.")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as error:
        message = f"Unable to import module '{module}': {error}"
        raise Fault("Runtime.ImportModuleError", message) from error
    return _function(found, function)


def _function(module: object, name: str) -> Handler:
    handler: Handler | None = getattr(module, name, None)
    if not callable(handler):
        message = f"Handler '{name}' missing on module '{getattr(module, '__name__', '')}'"
        raise Fault("Runtime.HandlerNotFound", message)
    return handler
