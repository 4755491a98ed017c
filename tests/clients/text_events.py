"""What a provider says that these clients follow event by event."""

from tests.support.events import make_event, make_response

AT = {"item_id": "msg_1", "output_index": 0}
WITHIN = {**AT, "content_index": 0}
PARTS = ("Hel", "lo ", "you")


def message(text, status="completed"):
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    kind = {"id": "msg_1", "type": "message", "role": "assistant", "status": status}
    return {**kind, "content": content if text else []}


def make_text_events(id):
    """All events of one good response, one piece of bytes each."""
    text = "".join(PARTS)
    part = message(text)["content"][0]
    events = [
        ("created", {"response": make_response(id, "in_progress")}),
        ("output_item.added", {"output_index": 0, "item": message("", "in_progress")}),
        ("content_part.added", {**WITHIN, "part": {**part, "text": ""}}),
        *(("output_text.delta", {**WITHIN, "delta": each, "logprobs": []}) for each in PARTS),
        ("output_text.done", {**WITHIN, "text": text, "logprobs": []}),
        ("content_part.done", {**WITHIN, "part": part}),
        ("output_item.done", {"output_index": 0, "item": message(text)}),
        ("completed", {"response": make_response(id, output=[message(text)])}),
    ]
    return [
        make_event(f"response.{type}", number, **more) for number, (type, more) in enumerate(events)
    ]
