"""A stored response told again, as the stream of events that it came in.

Pure. Each text is one delta, for nothing tells in which pieces it came; what no response keeps
(partial images, padding, pace) is not told. Every client puts the same response together from it.
https://platform.openai.com/docs/api-reference/responses-streaming
"""

from collections.abc import Generator

from antiphon import sse
from antiphon.idempotency.kinds import Events, Json, kind_of

NOT_YET = ("completed_at", "error", "incomplete_details", "usage")
ENDINGS = ("completed", "incomplete")


def events(response: Json) -> Generator[bytes]:
    """Every event of a response that has ended, numbered from 0."""
    for number, event in enumerate(_told(response)):
        yield sse.encode({"type": event["type"], "sequence_number": number, **event})


def _told(response: Json) -> Events:
    begun = _begun(response)
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response.get("output") or ()):
        yield from _item(index, item)
    # There is no event for `cancelled`: the one that no client takes for an answer stands for it.
    status = response.get("status", "completed")
    ending = status if status in ENDINGS else "failed"
    yield {"type": f"response.{ending}", "response": response}


def _begun(response: Json) -> Json:
    """The response as it was before it had said anything."""
    nothing = {name: None for name in NOT_YET if name in response}
    return {**response, **nothing, "status": "in_progress", "output": []}


def _item(index: int, item: Json) -> Events:
    kind, place = kind_of(item), {"output_index": index}
    yield {"type": "response.output_item.added", **place, "item": kind.begun(item)}
    for event in kind.inner(item):
        yield {**event, "type": f"response.{event['type']}", "item_id": item["id"], **place}
    yield {"type": "response.output_item.done", **place, "item": item}
