"""`_HANDLER=tests.support.imported.handler`: functions/api.py, which also names what it imports."""

import sys
from importlib import import_module
from typing import Any

api = import_module("api")


def handler(event: Any, context: Any) -> Any:
    if event == "which modules?":
        return sorted(name for name, module in sys.modules.items() if module is not None)
    if event == "is the create's model built?":
        return import_module("antiphon.schema.create").CreateResponse.__pydantic_complete__
    return api.handler(event, context)
