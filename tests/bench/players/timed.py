"""`_HANDLER=tests.bench.players.timed.handler`: functions/api.py, and how long its AWS calls took.

So that the time of an answer can be given without that of the link's write, which is all of a call
to DynamoDB: making it, signing it, waiting for it, reading the answer.
"""

import time
from importlib import import_module
from typing import Any

from antiphon.store.aws_api import JsonApi
from tests.bench.answer import IN_AWS


class Clock:
    def __init__(self) -> None:
        self.spent = 0

    def around(self, call: Any) -> Any:
        def timed(*arguments: Any) -> Any:
            begun = time.monotonic_ns()
            try:
                return call(*arguments)
            finally:
                self.spent += time.monotonic_ns() - begun

        return timed


CLOCK = Clock()
JsonApi.call = CLOCK.around(JsonApi.call)  # type: ignore[method-assign]
api = import_module("api")  # it makes its clients, which refer to the method, when it is imported


def handler(event: Any, context: Any) -> Any:
    """All is written by now that must be before the first byte."""
    CLOCK.spent = 0
    answer = api.handler(event, context)
    return {**answer, "headers": {**answer["headers"], IN_AWS: str(CLOCK.spent)}}
