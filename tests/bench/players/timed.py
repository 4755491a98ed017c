"""`_HANDLER=tests.bench.players.timed.handler`: functions/api.py, and how long its AWS calls took.

So that the time of an answer can be given without that of the link's write, which is all of a call
to DynamoDB: making it, signing it, waiting for it, reading the answer.
"""

import time
from importlib import import_module
from typing import Any

from antiphon.store.aws_api import JsonApi
from tests.bench.answer import AWS_BYTES, AWS_CALLS, IN_AWS


class Clock:
    def __init__(self) -> None:
        self.spent = self.calls = self.bytes = 0

    def around(self, call: Any) -> Any:
        def timed(*arguments: Any) -> Any:
            begun = time.monotonic_ns()
            self.calls += 1
            try:
                return call(*arguments)
            finally:
                self.spent += time.monotonic_ns() - begun

        return timed

    def weighing(self, sign: Any) -> Any:
        def weighed(api: Any, operation: str, body: bytes) -> Any:
            self.bytes += len(body)
            return sign(api, operation, body)

        return weighed


CLOCK = Clock()
JsonApi.call = CLOCK.around(JsonApi.call)  # type: ignore[method-assign]
JsonApi._sign = CLOCK.weighing(JsonApi._sign)  # type: ignore[method-assign]
api = import_module("api")  # it makes its clients, which refer to the method, when it is imported


def handler(event: Any, context: Any) -> Any:
    """All is written by now that must be before the first byte."""
    CLOCK.spent = CLOCK.calls = CLOCK.bytes = 0
    answer = api.handler(event, context)
    return {**answer, "headers": {**answer["headers"], **_report()}}


def _report() -> dict[str, str]:
    figures = {IN_AWS: CLOCK.spent, AWS_CALLS: CLOCK.calls, AWS_BYTES: CLOCK.bytes}
    return {name: str(figure) for name, figure in figures.items()}
