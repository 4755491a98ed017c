"""Answers of all other endpoints."""

from infra.reference.examples.names import CONV, CREATED, NEXT, RESP, listed, one
from infra.reference.examples.responses import QUESTION, USAGE
from infra.reference.schemas import Schema

DELETED_RESPONSE = one({"id": RESP, "object": "response", "deleted": True})
ITEM, ITEMS = one(QUESTION), one(listed(QUESTION))
COUNTED = one({"object": "response.input_tokens", "input_tokens": 12})
COMPACTED = one(
    {
        "id": "resp_68a1c0fff0",
        "object": "response.compaction",
        "created_at": CREATED,
        "output": [{"id": "cmp_68a1", "type": "compaction", "encrypted_content": "gAAAAAB…"}],
        "usage": USAGE,
    }
)
CONVERSATION = one(
    {
        "id": CONV,
        "object": "conversation",
        "created_at": CREATED,
        "metadata": {"team": "search"},
    }
)
DELETED_CONVERSATION = one({"id": CONV, "object": "conversation.deleted", "deleted": True})
GPT: Schema = {"id": "gpt-5", "object": "model", "created": 0, "owned_by": "openai"}
MODEL, MODELS = one(GPT), one({"object": "list", "data": [GPT]})
HEALTH = one({"status": "ok"})
LINK: Schema = {
    "id": RESP,
    "object": "response.link",
    "created_at": CREATED,
    "completed_at": CREATED + 1,
    "status": "completed",
    "model": "gpt-5",
    "target": "openai",
    "previous_response_id": None,
    "conversation": None,
    "root": RESP,
    "background": False,
    "store": True,
    "metadata": {"team": "search"},
    "usage": USAGE,
}
NEXT_LINK: Schema = {**LINK, "id": NEXT, "previous_response_id": RESP}
LINKS = one(listed(NEXT_LINK, LINK))
LINEAGE = one({**listed(LINK, NEXT_LINK), "root": RESP})
CONVERSATION_LINKS = one(
    listed(
        {
            "id": CONV,
            "object": "conversation.link",
            "created_at": CREATED,
            "target": "openai",
            "metadata": {"team": "search"},
        }
    )
)
