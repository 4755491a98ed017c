"""The few members of a provider's JSON that are recorded, as far as a row can hold them."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from antiphon.errors import UpstreamFailed
from antiphon.json_reader import USAGE, Wanted
from antiphon.observability import logger
from antiphon.schema.create import MAX_MODEL_CHARS, MAX_TIER_CHARS
from antiphon.schema.fields import MAX_KEY_CHARS, MAX_PAIRS, MAX_VALUE_CHARS
from antiphon.sse import EventSplitter, parse_event
from antiphon.store.links import FINAL, ID_PATTERN, Link

CONTAINER_ID = b"container_id"  # bytes without it name no container
MAX_TEXT_CHARS = MAX_MODEL_CHARS  # of every name and text that is recorded
MAX_USAGE_CHARS = 8_192  # of `usage` in a row; of a larger one only the tokens are recorded
MAX_ESCAPE_CHARS = 12  # of one character in JSON: a surrogate pair
MAX_USAGE_MEMBERS, MAX_USAGE_DEPTH = 64, 4
MAX_NUMBER = 10**15  # so that sums of them fit DynamoDB's 38 digits
MIN_FRACTION = 1e-100
LATEST_END = 7_258_118_400  # the year 2200: its nanoseconds fit the 64 bits of a span
NOT_FINAL = "in_progress"

type ResponseObject = Mapping[str, Any]


def read_object(body: bytes) -> ResponseObject:
    """Parse a complete answer with all its members; raise UpstreamFailed where that fails."""
    try:
        document = json.loads(body)  # not by jiter, which refuses half of a surrogate pair
    except (ValueError, RecursionError) as exc:
        raise UpstreamFailed("The provider's answer could not be parsed.") from exc
    if not isinstance(document, dict):
        raise UpstreamFailed("The provider's answer is not a JSON object.")
    return document


def readable_id(document: ResponseObject) -> str | None:
    """Return the document's id; None for one that could not be looked up later."""
    id = document.get("id")
    return id if isinstance(id, str) and ID_PATTERN.fullmatch(id) else None


def check_id(found: ResponseObject, link: Link) -> None:
    """Raise UpstreamFailed where a provider answers with what was not requested."""
    if readable_id(found) != link.id:
        raise UpstreamFailed("The provider answered with another object than the requested one.")


def status_of(response: ResponseObject) -> str:
    """Return the status; an answer without one is complete, one that is no text is not final."""
    return name_or_none(response.get("status", "completed")) or NOT_FINAL


def outcome_attributes(response: ResponseObject) -> dict[str, Any]:
    """Return status, usage and what pricing needs, as attributes of a link."""
    status, completed_at = status_of(response), response.get("completed_at")
    if type(completed_at) is not int or not 0 <= completed_at < LATEST_END:
        completed_at = int(time.time()) if status in FINAL else None  # only newer providers send it
    # A router's first event names the router itself, its last one the model.
    model, tier = name_or_none(response.get("model")), tier_or_none(response.get("service_tier"))
    return {
        "status": status,
        "usage": _storable_usage(response.get("usage")),
        "completed_at": completed_at,
        **({"service_tier": tier} if tier else {}),
        **({"upstream_model": model} if model else {}),
        **({"store": False} if response.get("store") is False else {}),
    }


def tier_or_none(value: object) -> str | None:
    """Return a service tier; None for `auto`, which leaves it open, and for what is no tier."""
    tier = name_or_none(value)
    return tier if tier != "auto" and len(tier or "") <= MAX_TIER_CHARS else None


def conversation_id(response: ResponseObject) -> str | None:
    conversation = response.get("conversation")
    if isinstance(conversation, dict):
        return readable_id(conversation)
    return readable_id({"id": conversation})


def metadata_of(document: ResponseObject) -> dict[str, str]:
    metadata = document.get("metadata")
    pairs = metadata.items() if isinstance(metadata, dict) else ()
    return dict(islice((pair for pair in pairs if _is_pair(*pair)), MAX_PAIRS))


def item_ids(document: ResponseObject) -> Iterator[str]:
    """Yield the ids of a response's output, or of a list's data."""
    for name in ("output", "data"):
        items = document.get(name)
        for item in items if isinstance(items, list) else ():
            id = readable_id(item) if isinstance(item, dict) else None
            if id is not None:
                yield id


def output_containers(response: ResponseObject) -> Iterator[str]:
    """Yield the ids of the containers in which a response's tools ran.

    Only `output` is read, which the provider made: `tools` and `instructions` repeat what the
    caller sent, who would own each container that it knows the id of.
    """
    for item in _objects(response.get("output")):
        yield from _usable(_containers_of_item(item))


def event_containers(events: bytes) -> Iterator[str]:
    """Yield the ids of the containers that whole events name, as far as the provider made them.

    https://platform.openai.com/docs/api-reference/responses-streaming
    """
    for event in EventSplitter().feed(events):
        found = parse_event(event) if CONTAINER_ID in event else None
        if found is None:
            continue
        yield from output_containers(_object(found.data.get("response")))
        yield from _usable(_containers_of_item(_object(found.data.get("item"))))
        yield from _usable(_containers_of_part(_object(found.data.get("part"))))
        yield from _usable([_object(found.data.get("annotation")).get("container_id")])


def own_item_id(document: ResponseObject) -> str | None:
    """Return the id of a document that is itself an item."""
    is_item = "object" not in document and "type" in document
    return readable_id(document) if is_item else None


def name_or_none(value: object) -> str | None:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT_CHARS:
        return None
    return value if value.isascii() or _is_unicode(value) else None


def _is_unicode(text: str) -> bool:
    """Whether a row can hold a text: JSON may have half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _containers_of_item(item: ResponseObject) -> Iterator[object]:
    yield item.get("container_id")  # of code_interpreter_call
    yield _object(item.get("environment")).get("container_id")  # of shell_call
    for part in _objects(item.get("content")):
        yield from _containers_of_part(part)


def _containers_of_part(part: ResponseObject) -> Iterator[object]:
    for annotation in _objects(part.get("annotations")):
        yield annotation.get("container_id")  # of container_file_citation


def _usable(values: Iterable[object]) -> Iterator[str]:
    """Yield the ids that can be recorded.

    Any other passes without an owner: no request can ever use it, so the caller gets the paid
    answer and no access.
    """
    for value in values:
        id = readable_id({"id": value})
        if id is not None:
            yield id
        elif value is not None:
            logger.warning("container has no usable id")


def _object(value: object) -> ResponseObject:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> Iterator[ResponseObject]:
    """Yield the objects in an array."""
    return filter(None, map(_object, value if isinstance(value, list) else ()))


def _is_pair(key: str, value: object) -> bool:
    is_text = isinstance(value, str) and len(value) <= MAX_VALUE_CHARS and _is_unicode(value)
    return is_text and 0 < len(key) <= MAX_KEY_CHARS and _is_unicode(key)


def _storable_usage(usage: object) -> dict[str, Any] | None:
    """Return what a row can hold of `usage`."""
    if not isinstance(usage, dict):
        return None
    storable: dict[str, Any] = _storable(usage)
    is_small = len(repr(storable)) * MAX_ESCAPE_CHARS <= MAX_USAGE_CHARS  # faster than JSON
    is_small = is_small or len(json.dumps(storable)) <= MAX_USAGE_CHARS
    if not is_small or len(usage) > MAX_USAGE_MEMBERS:
        storable = _storable(_select(usage, USAGE))
    return storable


def _select(value: dict[str, Any], wanted: Wanted) -> dict[str, Any]:
    selected = {name: value[name] for name in wanted if name in value}
    for name, inner in wanted.items():
        if inner is not None and isinstance(selected.get(name), dict):
            selected[name] = _select(selected[name], inner)
    return selected


def _storable(value: Any, depth: int = MAX_USAGE_DEPTH) -> Any:
    """Return a value without what DynamoDB cannot hold; None in place of a number or text."""
    if isinstance(value, dict):
        members = islice(value.items(), MAX_USAGE_MEMBERS if depth else 0)
        return {name: _storable(inner, depth - 1) for name, inner in members if _is_name(name)}
    if isinstance(value, list):
        return [_storable(inner, depth - 1) for inner in value[: MAX_USAGE_MEMBERS if depth else 0]]
    if isinstance(value, int | float):
        is_count = type(value) is int and 0 <= value <= MAX_NUMBER  # as most are
        return value if is_count else _storable_number(value)
    return name_or_none(value)


def _is_name(name: str) -> bool:
    return bool(name) and (name.isascii() or _is_unicode(name))


def _storable_number(value: float) -> float | None:
    if isinstance(value, bool):
        return value
    if not abs(value) <= MAX_NUMBER:  # NaN is not
        return None
    if value == int(value):  # JSON has one type of number: 16.0 is 16
        return int(value)
    return value if abs(value) > MIN_FRACTION else None
