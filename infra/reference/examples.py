"""Example requests, responses, streams and reports, as a reader may copy them."""

import json

from infra.example_models import EXAMPLE_MODEL
from infra.reference.schemas import Schema

RESP, NEXT, CONV, MSG = "resp_68a1c0ffee", "resp_68a1c0ffef", "conv_68a1c0ffee", "msg_68a1c0ffee"
CREATED = 1_788_000_000


def example(value: Schema, name: str = "Example") -> Schema:
    return {name: {"value": value}}


def list_of(*data: Schema) -> Schema:
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
    return {"object": "list", "data": list(data), **ends, "has_more": False}


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
        "model": EXAMPLE_MODEL,
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
    "Completed": {"summary": "Complete", "value": response(RESP, "completed")},
    "Chained": {
        "summary": "A next turn",
        "value": response(NEXT, "completed", previous_response_id=RESP),
    },
    "Background": {
        "summary": "In the background",
        "value": response(RESP, "queued", background=True),
    },
}
CANCELLED = example(response(RESP, "cancelled", background=True))


CREATE: Schema = {
    "Text": {
        "summary": "A question",
        "value": {
            "model": EXAMPLE_MODEL,
            "input": "Say hello in Latin.",
            "metadata": {"team": "search"},
        },
    },
    "Streamed": {
        "summary": "Streamed, event by event",
        "value": {"model": EXAMPLE_MODEL, "input": "Tell me a story.", "stream": True},
    },
    "Chained": {
        "summary": "The next turn, at the target that stores the last one",
        "value": {"model": EXAMPLE_MODEL, "previous_response_id": RESP, "input": "And in Greek?"},
    },
    "Background": {
        "summary": "In the background; poll it with GET /responses/{id}",
        "value": {"model": EXAMPLE_MODEL, "input": "Write the report.", "background": True},
    },
    "Azure": {
        "summary": "As Azure's clients send it: POST /openai/responses?api-version=…",
        "description": "With the key in `api-key`. `model` is the public name that `gateway.toml` "
        "maps to a deployment.",
        "value": {
            "model": EXAMPLE_MODEL,
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
            "max_output_tokens": 200,
        },
    },
    "Function": {
        "summary": "With a function that the model may call",
        "value": {
            "model": EXAMPLE_MODEL,
            "input": "What is the weather in Bern?",
            "tools": [
                {
                    "type": "function",
                    "name": "weather",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                }
            ],
        },
    },
}
COUNT = example({"model": EXAMPLE_MODEL, "input": "Say hello in Latin."})
COMPACT = example({"model": EXAMPLE_MODEL, "previous_response_id": RESP})
START = example({"metadata": {"team": "search"}, "items": [{"role": "user", "content": "Salve!"}]})
UPDATE = example({"metadata": {"team": "search"}})
ADD = example({"items": [{"role": "user", "content": "And in Greek?"}]})


DELETED_RESPONSE = example({"id": RESP, "object": "response", "deleted": True})
ITEM, ITEMS = example(QUESTION), example(list_of(QUESTION))
COUNTED = example({"object": "response.input_tokens", "input_tokens": 12})
COMPACTED = example(
    {
        "id": "resp_68a1c0fff0",
        "object": "response.compaction",
        "created_at": CREATED,
        "output": [{"id": "cmp_68a1", "type": "compaction", "encrypted_content": "gAAAAAB…"}],
        "usage": USAGE,
    }
)
CONVERSATION = example(
    {
        "id": CONV,
        "object": "conversation",
        "created_at": CREATED,
        "metadata": {"team": "search"},
    }
)
DELETED_CONVERSATION = example({"id": CONV, "object": "conversation.deleted", "deleted": True})
GPT: Schema = {"id": EXAMPLE_MODEL, "object": "model", "created": 0, "owned_by": "openai"}
MODEL, MODELS = example(GPT), example({"object": "list", "data": [GPT]})
HEALTH = example({"status": "ok"})
LINK: Schema = {
    "id": RESP,
    "object": "response.link",
    "created_at": CREATED,
    "completed_at": CREATED + 1,
    "status": "completed",
    "model": EXAMPLE_MODEL,
    "upstream_model": EXAMPLE_MODEL,
    "target": "openai",
    "key_id": "key_68a1c0ffee68a1c0",
    "previous_response_id": None,
    "conversation": None,
    "root": RESP,
    "background": False,
    "store": True,
    "metadata": {"team": "search"},
    "usage": USAGE,
    "service_tier": "default",
    "cost_usd": "0.00015",
    "unfinished": None,
    "expires_at": CREATED + 30 * 86_400,
    "waited_ms": 840,
    "attempts": None,
}
NEXT_LINK: Schema = {**LINK, "id": NEXT, "previous_response_id": RESP}
LINKS = example(list_of(NEXT_LINK, LINK))
LINEAGE = example({**list_of(LINK, NEXT_LINK), "root": RESP})
CONVERSATION_LINKS = example(
    list_of(
        {
            "id": CONV,
            "object": "conversation.link",
            "created_at": CREATED,
            "target": "openai",
            "metadata": {"team": "search"},
        }
    )
)


def _stream(*events: Schema) -> str:
    numbered = [
        {"type": event["type"], "sequence_number": n, **event} for n, event in enumerate(events)
    ]
    return "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in numbered)


CREATED_EVENT: Schema = {"type": "response.created", "response": response(RESP, "in_progress")}
DELTA_EVENT: Schema = {
    "type": "response.output_text.delta",
    "item_id": MSG,
    "output_index": 0,
    "content_index": 0,
    "delta": "Salve!",
}
COMPLETED_EVENT: Schema = {"type": "response.completed", "response": response(RESP, "completed")}
ERROR_MEMBERS: Schema = {
    "message": "The connection to the provider broke before its answer was complete.",
    "type": "server_error",
    "param": None,
    "code": "upstream_failed",
}
ERROR_EVENT: Schema = {**ERROR_MEMBERS, "type": "error", "error": ERROR_MEMBERS}
FAILED_EVENT: Schema = {
    "type": "response.failed",
    "response": response(
        RESP, "failed", error={"code": "server_error", "message": ERROR_MEMBERS["message"]}
    ),
}
STREAMS: Schema = {
    "Completed": {
        "summary": "Complete",
        "value": _stream(CREATED_EVENT, DELTA_EVENT, COMPLETED_EVENT),
    },
    "Failed": {
        "summary": "Ended by the terminal pair",
        "value": _stream(CREATED_EVENT, DELTA_EVENT, ERROR_EVENT, FAILED_EVENT),
    },
}


COUNTS: Schema = {
    "requests": 3,
    "completed": 2,
    "failed": 1,
    "incomplete": 0,
    "cancelled": 0,
    "unknown": 0,
    "unmetered": 1,
    "unpriced": 0,
    "input_tokens": 2000,
    "cached_tokens": 800,
    "cache_write_tokens": 0,
    "output_tokens": 200,
    "reasoning_tokens": 120,
    "total_tokens": 2200,
    "cost_usd": "0.0036",
    "estimated_container_minutes": 0,
}
GROUP: Schema = {
    "object": "usage.bucket",
    "day": "2026-11-22",
    "model": EXAMPLE_MODEL,
    "target": "openai",
    "key_id": "key_68a1c0ffee68a1c0",
}


def _report(**group: None) -> Schema:
    return {
        "object": "list",
        "start": "2026-11-22",
        "end": "2026-11-22",
        "data": [{**GROUP, **group, **COUNTS}],
        "total": COUNTS,
        "storage": {"files": 12, "file_bytes": 3_400_000, "vector_stores": 2, "containers": 1},
        "has_more": False,
    }


REPORTS: Schema = {
    "Separate": {"summary": "By day, model, target and key", "value": _report()},
    "ByModel": {
        "summary": "By model alone: `by=model`",
        "value": _report(day=None, target=None, key_id=None),
    },
}


def _limit(name: str, source: str, period: str | None, limit: float, **use: float) -> Schema:
    counts = {"used": None, "remaining": None, "resets_at": None, **use}
    named = {"object": "limit", "name": name, "source": source, "period": period}
    return {**named, "limit": limit, **counts}


LIMITS = example(
    {
        "object": "list",
        "tenant": "acme",
        "key_id": GROUP["key_id"],
        "models": [EXAMPLE_MODEL],
        "data": [
            _limit("rpm", "key", "minute", 60, used=3, remaining=57, resets_at=1_795_348_860),
            _limit("max_output_tokens", "key", None, 4_096),
            _limit(
                "budget_usd",
                "tenant",
                "month",
                500.0,
                used=12.25,
                remaining=487.75,
                resets_at=1_796_083_200,
            ),
            _limit("max_body_bytes", "configuration", None, 4_500_000),
        ],
        "has_more": False,
    }
)
