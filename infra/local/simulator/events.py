"""A response told as the sequence of events that OpenAI streams."""

from collections.abc import Callable, Iterator
from itertools import chain

from infra.local.simulator.items import Json
from infra.local.simulator.speech import pieces

type Events = Iterator[Json]
type Tells = Callable[[list[Json]], list[Json]]

UNFINISHED: Json = {"output": [], "usage": None, "completed_at": None, "error": None}


def sequence(final: Json, tells: Tells) -> list[Json]:
    """Every event from creation to end, numbered; `tells` may change the tale."""
    told = [*_opening(final), *chain.from_iterable(_items(final)), _end(final)]
    return [
        {"type": event["type"], "sequence_number": number, **event}
        for number, event in enumerate(tells(told))
    ]


def unfinished(final: Json, status: str) -> Json:
    """The response as it stands before its end."""
    return {**final, **UNFINISHED, "incomplete_details": None, "status": status}


def obfuscated(event: Json) -> Json:
    """A delta with padding that hides its length from whoever counts bytes on the way."""
    if not event["type"].endswith(".delta"):
        return event
    return {**event, "obfuscation": "x8Kq2Zp0LmW5vRtY"[len(event["delta"]) % 16 :]}


def _opening(final: Json) -> Events:
    if final["background"]:
        queued = unfinished(final, "queued")
        yield {"type": "response.created", "response": queued}
        yield {"type": "response.queued", "response": queued}
    else:
        yield {"type": "response.created", "response": unfinished(final, "in_progress")}
    yield {"type": "response.in_progress", "response": unfinished(final, "in_progress")}


def _end(final: Json) -> Json:
    return {"type": f"response.{final['status']}", "response": final}


def _items(final: Json) -> Iterator[Events]:
    for index, item in enumerate(final["output"]):
        yield _item(index, item)


def _item(index: int, item: Json) -> Events:
    place = {"item_id": item["id"], "output_index": index}
    empty, told = _TOLD[item["type"]]
    added = {"status": "in_progress"} if "status" in item else {}
    yield _event("output_item.added", output_index=index, item={**item, **added, **empty})
    yield from told(item, place)
    yield _event("output_item.done", output_index=index, item=item)


def _message(item: Json, place: Json) -> Events:
    for index, part in enumerate(item["content"]):
        at = {**place, "content_index": index}
        name, key, more = _PARTS[part["type"]]
        yield _event("content_part.added", **at, part={**part, key: ""})
        for piece in pieces(part[key]):
            yield _event(f"{name}.delta", **at, delta=piece, **more)
        yield _event(f"{name}.done", **at, **{key: part[key]}, **more)
        yield _event("content_part.done", **at, part=part)


def _reasoning(item: Json, place: Json) -> Events:
    for index, part in enumerate(item["summary"]):
        at = {**place, "summary_index": index}
        yield _event("reasoning_summary_part.added", **at, part={**part, "text": ""})
        for piece in pieces(part["text"]):
            yield _event("reasoning_summary_text.delta", **at, delta=piece)
        yield _event("reasoning_summary_text.done", **at, text=part["text"])
        yield _event("reasoning_summary_part.done", **at, part=part)


def _function_call(item: Json, place: Json) -> Events:
    for piece in pieces(item["arguments"]):
        yield _event("function_call_arguments.delta", **place, delta=piece)
    yield _event(
        "function_call_arguments.done", **place, name=item["name"], arguments=item["arguments"]
    )


def _event(name: str, /, **fields: object) -> Json:
    return {"type": f"response.{name}", **fields}


_PARTS: dict[str, tuple[str, str, Json]] = {  # in events: its name, its text, what else is there
    "output_text": ("output_text", "text", {"logprobs": []}),
    "refusal": ("refusal", "refusal", {}),
}
_TOLD: dict[str, tuple[Json, Callable[[Json, Json], Events]]] = {  # what is not there at first
    "message": ({"content": []}, _message),
    "reasoning": ({"summary": []}, _reasoning),
    "function_call": ({"arguments": ""}, _function_call),
}
