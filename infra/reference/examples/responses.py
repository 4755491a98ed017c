"""Responses as they come back."""

from infra.reference.examples.names import CREATED, MSG, NEXT, RESP, one
from infra.reference.schemas import Schema

MESSAGE: Schema = {
    "id": MSG,
    "type": "message",
    "status": "completed",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Salve!", "annotations": []}],
}
QUESTION: Schema = {
    "id": "msg_68a1c0ffed",
    "type": "message",
    "status": "completed",
    "role": "user",
    "content": [{"type": "input_text", "text": "Say hello in Latin."}],
}
USAGE: Schema = {
    "input_tokens": 12,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 4,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 16,
}


def response(id: str, status: str, **more: object) -> Schema:
    final = status == "completed"
    return {
        "id": id,
        "object": "response",
        "created_at": CREATED,
        "completed_at": CREATED + 1 if final else None,
        "status": status,
        "model": "gpt-5-2025-08-07",
        "output": [MESSAGE] if final else [],
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {"team": "search"},
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": USAGE if final else None,
        **more,
    }


RESPONSES: Schema = {
    "Completed": {"summary": "Whole", "value": response(RESP, "completed")},
    "Chained": {
        "summary": "Of a next turn",
        "value": response(NEXT, "completed", previous_response_id=RESP),
    },
    "Background": {
        "summary": "Begun in the background",
        "value": response(RESP, "queued", background=True),
    },
}
CANCELLED = one(response(RESP, "cancelled", background=True))
