"""Every endpoint of the gateway: one row each, in the order of the reference."""

from openai.types.conversations import (
    Conversation,
    ConversationDeletedResource,
    ConversationItemList,
)
from openai.types.responses import CompactedResponse, Response, ResponseItemList
from openai.types.responses.input_token_count_response import InputTokenCountResponse

from antiphon.schema.create import CreateResponse
from antiphon.schema.limits import LimitList
from antiphon.schema.links import Lineage, LinkList
from antiphon.schema.list_queries import ConversationsQuery, LineageQuery, ResponsesQuery
from antiphon.schema.other_bodies import (
    Compact,
    CreateConversation,
    CreateItems,
    InputTokens,
    UpdateConversation,
)
from antiphon.schema.usage import UsageQuery, UsageReport
from infra.reference import examples, parameters
from infra.reference.answers import (
    DeletedResponse,
    Health,
    ModelList,
    ModelObject,
    StoredItem,
)
from infra.reference.containers import CONTAINERS
from infra.reference.files import FILES
from infra.reference.operation import Body, Endpoint
from infra.reference.webhooks import WEBHOOKS

RESPONSES = (
    Endpoint(
        "createResponse",
        "POST /responses",
        "Responses",
        "Create a response",
        "Sends the request to a target that serves `model`, or to the one that stores what it "
        "continues. The body is sent byte for byte, except for the value of `model` where the "
        "target has another name for it, and `max_tokens`, which is sent as `max_output_tokens`. "
        "Needs `model` or `prompt`, and one of `input`, `prompt`, `conversation` and "
        "`previous_response_id`; the last two exclude each other.",
        Response,
        query=(parameters.IDEMPOTENCY_KEY,),
        body=Body(CreateResponse, examples=examples.CREATE),
        examples=examples.RESPONSES,
        stream="`stream` is true",
    ),
    Endpoint(
        "getResponse",
        "GET /responses/{id}",
        "Responses",
        "Retrieve a response",
        "Returns a response, or resumes its stream after an event.",
        Response,
        query=parameters.RESUME,
        examples={"Completed": examples.RESPONSES["Completed"]},
        stream="`stream=true`",
    ),
    Endpoint(
        "deleteResponse",
        "DELETE /responses/{id}",
        "Responses",
        "Delete a response",
        "Deletes it at its provider; after that its id is not found.",
        DeletedResponse,
        examples=examples.DELETED_RESPONSE,
    ),
    Endpoint(
        "cancelResponse",
        "POST /responses/{id}/cancel",
        "Responses",
        "Cancel a background response",
        "Stops a response that was created with `background: true`; repeating it is harmless.",
        Response,
        examples=examples.CANCELLED,
    ),
    Endpoint(
        "listInputItems",
        "GET /responses/{id}/input_items",
        "Responses",
        "List a response's input",
        "Lists the items that the response was generated from, page by page.",
        ResponseItemList,
        query=parameters.PAGE,
        examples=examples.ITEMS,
    ),
    Endpoint(
        "countInputTokens",
        "POST /responses/input_tokens",
        "Responses",
        "Count input tokens",
        "Counts the input tokens that such a create would have; nothing is generated.",
        InputTokenCountResponse,
        body=Body(InputTokens, examples=examples.COUNT),
        examples=examples.COUNTED,
    ),
    Endpoint(
        "compactResponse",
        "POST /responses/compact",
        "Responses",
        "Compact a conversation",
        "Shortens a long input: the `output` of the answer is the input of the next create.",
        CompactedResponse,
        body=Body(Compact, examples=examples.COMPACT),
        examples=examples.COMPACTED,
    ),
)
MODELS = (
    Endpoint(
        "listModels",
        "GET /models",
        "Models",
        "List models",
        "Lists the models that this key may call.",
        ModelList,
        examples=examples.MODELS,
        access="gateway",
    ),
    Endpoint(
        "getModel",
        "GET /models/{model}",
        "Models",
        "Retrieve a model",
        "Returns one model that this key may call.",
        ModelObject,
        examples=examples.MODEL,
        access="gateway",
    ),
)
CONVERSATIONS = (
    Endpoint(
        "createConversation",
        "POST /conversations",
        "Conversations",
        "Create a conversation",
        "Creates it at a target with the Conversations API; its responses go to the same target.",
        Conversation,
        body=Body(CreateConversation, required=False, examples=examples.START),
        examples=examples.CONVERSATION,
    ),
    Endpoint(
        "getConversation",
        "GET /conversations/{id}",
        "Conversations",
        "Retrieve a conversation",
        "Returns a conversation, without its items.",
        Conversation,
        examples=examples.CONVERSATION,
    ),
    Endpoint(
        "updateConversation",
        "POST /conversations/{id}",
        "Conversations",
        "Update a conversation",
        "Replaces its metadata.",
        Conversation,
        body=Body(UpdateConversation, examples=examples.UPDATE),
        examples=examples.CONVERSATION,
    ),
    Endpoint(
        "deleteConversation",
        "DELETE /conversations/{id}",
        "Conversations",
        "Delete a conversation",
        "Deletes it at its provider; after that its id is not found. Its items stay there.",
        ConversationDeletedResource,
        examples=examples.DELETED_CONVERSATION,
    ),
)
ITEMS = (
    Endpoint(
        "createConversationItems",
        "POST /conversations/{id}/items",
        "Conversation items",
        "Add items",
        "Adds up to 20 items to a conversation.",
        ConversationItemList,
        query=(parameters.INCLUDE,),
        body=Body(CreateItems, examples=examples.ADD),
        examples=examples.ITEMS,
    ),
    Endpoint(
        "listConversationItems",
        "GET /conversations/{id}/items",
        "Conversation items",
        "List items",
        "Lists a conversation's items, page by page.",
        ConversationItemList,
        query=parameters.PAGE,
        examples=examples.ITEMS,
    ),
    Endpoint(
        "getConversationItem",
        "GET /conversations/{id}/items/{item_id}",
        "Conversation items",
        "Retrieve an item",
        "Returns one item of a conversation.",
        StoredItem,
        query=(parameters.INCLUDE,),
        examples=examples.ITEM,
    ),
    Endpoint(
        "deleteConversationItem",
        "DELETE /conversations/{id}/items/{item_id}",
        "Conversation items",
        "Delete an item",
        "Removes one item from a conversation, and returns the conversation.",
        Conversation,
        examples=examples.CONVERSATION,
    ),
)
LINKS = (
    Endpoint(
        "listResponses",
        "GET /responses",
        "Links",
        "List responses",
        "Lists the tenant's responses, at all targets, newest first. An unknown parameter is "
        "refused.",
        LinkList,
        query=tuple(parameters.of_model(ResponsesQuery)),
        examples=examples.LINKS,
        access="gateway",
        ours=True,
    ),
    Endpoint(
        "getLineage",
        "GET /responses/{id}/lineage",
        "Links",
        "List the tree of a response",
        "Lists the tree that a response belongs to, from its root through all branches.",
        Lineage,
        query=tuple(parameters.of_model(LineageQuery)),
        examples=examples.LINEAGE,
        access="gateway",
        ours=True,
    ),
    Endpoint(
        "listConversations",
        "GET /conversations",
        "Links",
        "List conversations",
        "Lists the tenant's conversations, at all targets, newest first. An unknown parameter is "
        "refused.",
        LinkList,
        query=tuple(parameters.of_model(ConversationsQuery)),
        examples=examples.CONVERSATION_LINKS,
        access="gateway",
        ours=True,
    ),
    Endpoint(
        "getConversationLineage",
        "GET /conversations/{id}/lineage",
        "Links",
        "List the tree of a conversation",
        "Lists a conversation, its responses, and all that continue them.",
        Lineage,
        query=tuple(parameters.of_model(LineageQuery)),
        examples=examples.LINEAGE,
        access="gateway",
        ours=True,
    ),
)
USAGE = (
    Endpoint(
        "getUsage",
        "GET /usage",
        "Usage",
        "Report the usage",
        "Sums the tenant's requests, tokens and their price, by day, model, target and key. "
        "Each response is counted once, when it has ended, with the provider's own numbers, on "
        "the day (UTC) on which it began: past days may grow by responses that end late. An "
        "unknown parameter is refused.",
        UsageReport,
        query=tuple(parameters.of_model(UsageQuery)),
        examples=examples.REPORTS,
        access="gateway",
        ours=True,
    ),
)
LIMITS = (
    Endpoint(
        "getLimits",
        "GET /limits",
        "Usage",
        "Report the limits",
        "Lists each limit of the calling key and of its tenant, with what is used and left of it, "
        "and the models that the key may call. What a running request has reserved counts as used. "
        "The call is one request of its minute. An unknown parameter is refused.",
        LimitList,
        examples=examples.LIMITS,
        access="gateway",
        ours=True,
    ),
)
OPEN = (
    Endpoint(
        "getHealth",
        "GET /health",
        "Gateway",
        "Health",
        "Checks whether the gateway starts and answers; no other service is called.",
        Health,
        examples=examples.HEALTH,
        access="public",
        ours=True,
    ),
    Endpoint(
        "getReference",
        "GET /openapi.json",
        "Gateway",
        "This document",
        "Returns the OpenAPI 3.1 description of the gateway.",
        "application/json",
        access="public",
        ours=True,
    ),
    Endpoint(
        "getReferencePage",
        "GET /docs",
        "Gateway",
        "The page to read and try it",
        "Shows this document in a browser, where a reader with a key can send requests.",
        "text/html",
        access="public",
        ours=True,
    ),
    Endpoint(
        "getConsole",
        "GET /console",
        "Gateway",
        "The console",
        "Shows in a browser what the tenant of a reader's key has done, used and may use.",
        "text/html",
        access="public",
        ours=True,
    ),
)
RESOURCES = {**FILES, **CONTAINERS}
ENDPOINTS: tuple[Endpoint, ...] = (
    *RESPONSES,
    *CONVERSATIONS,
    *ITEMS,
    *MODELS,
    *(row.to_endpoint(tag) for tag, rows in RESOURCES.items() for row in rows),
    *LINKS,
    *USAGE,
    *LIMITS,
    *WEBHOOKS,
    *OPEN,
)
TAGS = {
    "Responses": "Create responses; continue, retrieve, cancel and delete them.",
    "Conversations": "The context that several responses share.",
    "Conversation items": "The items of a conversation.",
    "Models": "The models that this key may call.",
    "Files": "Files for inputs, file search and code interpreters; each belongs to one tenant.",
    "Uploads": "Files that are larger than one request, in parts.",
    "Vector stores": "What the tool `file_search` searches.",
    "Containers": "What the tool `code_interpreter` works in.",
    "Batches": "Responses that are made within a day, from the lines of a file.",
    "Skills": "Instructions and scripts for a model, where the target has them.",
    "Links": "Antiphon's own: find responses and conversations by time, metadata, model or root.",
    "Usage": "Antiphon's own: usage in tokens and dollars, and what is left of limits.",
    "Webhooks": "Events that are sent to a tenant's own endpoints when its responses end.",
    "Gateway": "Antiphon's own, without a key: health and this document.",
}
