"""What each step of a call spends, by watching the functions that are the steps.

A step's figure is the CPU time of the thread that serves, without that of the steps it calls.
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from functools import reduce
from importlib import import_module
from typing import Any

WARM_UP = 60  # calls that do not count
# The name of a step, and the function that it is: `module:attribute`, below `antiphon`.
STEPS = (
    ("runtime: wait for the event", "runtime.api:RuntimeApi.next_invocation"),
    ("runtime: the event's JSON", "runtime.invocation:Invocation.parse_event"),
    ("runtime: send the answer", "runtime.loop:Loop._stream"),
    ("runtime: the rest", "runtime.loop:Loop.serve"),
    ("events of both doors; find the route (Powertools)", "api.handler:ApiHandler.__call__"),
    ("read the request", "http_events:RequestReader.__call__"),
    ("log line", "api.handler:log_request"),
    ("metrics", "api.handler:_count_response"),
    ("key of the caller", "auth:Auth.identify"),
    ("parse and check the body", "schema.create:RequestBody.parse"),
    ("find the target, check referred ids", "routing:Routing.route"),
    ("limits", "limits.admission:Admission.admit"),
    ("create: the rest", "api.responses:Responses.create"),
    ("provider: headers and body out", "upstream.exchange:Exchange._build"),
    ("provider: policy, timers, body in", "upstream.client:UpstreamClient.send"),
    ("HTTP: send, wait, parse the head", "upstream.transport:LlhttpTransport.exchange"),
    ("the answer's JSON", "upstream.exchange:read_json"),
    ("link and outcome", "recording.recorder:ResponseRecorder.record"),
    ("rows as DynamoDB takes them", "store.dynamodb:BatchTable.put_all"),
    ("AWS: JSON, request and answer", "store.aws_api:JsonApi.call"),
    ("AWS: signature", "store.aws_api:JsonApi._sign"),
)


class Ledger:
    """What the calls of the steps spent, in nanoseconds, by call."""

    def __init__(self, clock: Callable[[], int] = time.thread_time_ns) -> None:
        self._clock = clock
        self.calls: list[Counter[str]] = [Counter()]
        self._open: list[str] = []
        self._since = 0

    def around(self, step: str, run: Callable[..., Any]) -> Callable[..., Any]:
        def measured(*arguments: Any, **named: Any) -> Any:
            self._book()
            self._open.append(step)
            try:
                return run(*arguments, **named)
            finally:
                self._book()
                self._open.pop()

        return measured

    def next_call(self) -> None:
        """From now on time is booked for another call."""
        self.calls.append(Counter())

    def medians(self) -> dict[str, float]:
        """Microseconds of each step."""
        calls = self.calls[WARM_UP:]
        names = dict.fromkeys(name for call in calls for name in call)
        return {name: statistics.median(call[name] for call in calls) / 1000 for name in names}

    def _book(self) -> None:
        now = self._clock()
        if self._open:
            self.calls[-1][self._open[-1]] += now - self._since
        self._since = now


def watch(ledger: Ledger, steps: Sequence[tuple[str, str]]) -> None:
    """Replace each function with one that books its time."""
    for step, place in steps:
        module, _, path = place.partition(":")
        *owners, name = path.split(".")
        owner = reduce(getattr, owners, import_module(f"antiphon.{module}"))
        found = owner.__dict__[name] if owners else getattr(owner, name)
        is_class_method = isinstance(found, classmethod)
        measured = ledger.around(step, found.__func__ if is_class_method else found)
        setattr(owner, name, classmethod(measured) if is_class_method else measured)
