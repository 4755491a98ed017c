"""Streams, to a good end and to a bad one."""

import json

from infra.reference.examples.names import MSG, RESP
from infra.reference.examples.responses import response
from infra.reference.schemas import Schema


def _stream(*events: Schema) -> str:
    numbered = [
        {"type": event["type"], "sequence_number": n, **event} for n, event in enumerate(events)
    ]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in numbered)


BEGUN: Schema = {"type": "response.created", "response": response(RESP, "in_progress")}
DELTA: Schema = {
    "type": "response.output_text.delta",
    "item_id": MSG,
    "output_index": 0,
    "content_index": 0,
    "delta": "Salve!",
}
DONE: Schema = {"type": "response.completed", "response": response(RESP, "completed")}
FAULT: Schema = {
    "message": "The connection to the provider broke before its answer was complete.",
    "type": "server_error",
    "param": None,
    "code": "upstream_failed",
}
ERROR: Schema = {**FAULT, "type": "error", "error": FAULT}
FAILED: Schema = {
    "type": "response.failed",
    "response": response(
        RESP, "failed", error={"code": "server_error", "message": FAULT["message"]}
    ),
}
STREAMS: Schema = {
    "Completed": {"summary": "To its end", "value": _stream(BEGUN, DELTA, DONE)},
    "Failed": {
        "summary": "Ended by the terminal pair",
        "value": _stream(BEGUN, DELTA, ERROR, FAILED),
    },
}
