"""`_HANDLER=tests.bench.players.timed.handler`: functions/api.py, and how long its AWS calls took.

So that the time of an answer can be given without that of the link's write, which is all of a call
to DynamoDB: making it, signing it, waiting for it, reading the answer.
"""

import time
from typing import Any

from botocore.client import BaseClient

import api
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
BaseClient._make_api_call = CLOCK.around(BaseClient._make_api_call)


def handler(event: Any, context: Any) -> Any:
    """All is written by now that must be before the first byte."""
    CLOCK.spent = 0
    answer = api.handler(event, context)
    return {**answer, "headers": {**answer["headers"], IN_AWS: str(CLOCK.spent)}}
