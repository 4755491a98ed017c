"""The checks as data, in the order in which they are made."""

from collections.abc import Callable
from dataclasses import dataclass

from infra.doctor.checks import headers, reach, refusals, stored, streams
from infra.doctor.finding import Finding
from infra.doctor.session import Session


@dataclass(frozen=True)
class Check:
    """`needs` names the checks without which this one says nothing."""

    name: str
    holds: str  # what is true where it is ok
    look: Callable[[Session], Finding]
    needs: tuple[str, ...] = ("reach",)
    costs: bool = False  # tokens
    long: bool = False


KEY = ("reach", "models")
FIRST, STREAM = ("create",), ("stream",)
CHECKS = (
    Check("reach", "Somebody answers there", reach.reached, ()),
    Check("health", "It is well", reach.healthy),
    Check("reference", "It serves its reference", reach.reference),
    Check("no-key", "Nobody is served without a key", refusals.no_key),
    Check("wrong-key", "A wrong key is refused", refusals.wrong_key),
    Check("models", "The key is known, and there are models to call", stored.models),
    Check("unknown-model", "An unknown model is refused", refusals.unknown_model, KEY),
    Check("bad-body", "A body that is no JSON is refused", refusals.bad_body, KEY),
    Check("unknown-id", "An unknown id is not found", refusals.unknown_response, KEY),
    Check("unknown-parent", "Nothing continues what is not there", refusals.unknown_parent, KEY),
    Check("large-body", "A body over its limit is refused, with the limit", refusals.large_body),
    Check("huge-body", "A body over AWS's limit is refused", refusals.huge_body),
    Check("websocket", "A WebSocket is refused at once", refusals.websocket, KEY),
    Check("create", "A response is created", stored.created, KEY, costs=True),
    Check("retrieve", "It is kept, and can be retrieved", stored.retrieved, FIRST, costs=True),
    Check("input-items", "Its input items can be listed", stored.input_items, FIRST, costs=True),
    Check("continue", "A follow-up continues it", stored.continued, FIRST, costs=True),
    Check("list", "It stands in the tenant's list", stored.listed, FIRST, costs=True),
    Check("foreign", "Another tenant does not find it", stored.foreign, FIRST, costs=True),
    Check("stream", "A response is streamed", streams.opens, KEY, costs=True),
    Check("flow", "Its events come as they are made", streams.flows, STREAM, costs=True),
    Check("order", "In order, and none is missing", streams.keeps_order, STREAM, costs=True),
    Check("end", "The last one says that it is the last", streams.ends, STREAM, costs=True),
    Check(
        "leave",
        "Who leaves early leaves no loose end",
        streams.outlives_a_caller,
        STREAM,
        costs=True,
    ),
    Check("long", "A stream may take its time", streams.lasts, STREAM, costs=True, long=True),
    Check("delete", "What is deleted is gone", stored.deleted, FIRST, costs=True),
    Check("private", "No header tells of the provider's account", headers.private),
    Check("request-ids", "Every answer has a request id", headers.request_ids),
    Check("names", "Headers come under their own names", headers.names),
)
NOT_SEEN_FROM_HERE = (
    "Whether the names of the runtime's own headers are those that Lambda reads.",
    "What callers see of a crash within a stream: a broken connection, never a clean end.",
    "Whether .pyc files are used: Init Duration in the api function's log, well under a second.",
    "How long AWS bills after a caller has left: Billed Duration there, to the stream's end.",
    "Whether alarms reach somebody: `aws sns publish` to the stack's output AlarmTopic.",
)


def chosen(*, free: bool, long: bool) -> list[Check]:
    return [each for each in CHECKS if not (each.costs and free) and (long or not each.long)]
