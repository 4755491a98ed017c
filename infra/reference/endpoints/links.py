"""Lists that OpenAI does not have: what the tenant started, wherever it lives."""

from antiphon.schema.links import Lineage, LinkList
from antiphon.schema.list_queries import ConversationsQuery, LineageQuery, ResponsesQuery
from infra.reference import parameters
from infra.reference.endpoints.endpoint import Endpoint
from infra.reference.examples import answers

TAG = "Links"
LINKS = (
    Endpoint(
        "listResponses",
        "GET /responses",
        TAG,
        "List responses",
        "Finds what the tenant started, at all targets, newest first. An unknown parameter is "
        "refused.",
        LinkList,
        query=tuple(parameters.of(ResponsesQuery)),
        examples=answers.LINKS,
        answered_by="gateway",
        ours=True,
    ),
    Endpoint(
        "getLineage",
        "GET /responses/{id}/lineage",
        TAG,
        "List a response's relatives",
        "Lists the whole tree that a response belongs to, from its root through all branches.",
        Lineage,
        query=tuple(parameters.of(LineageQuery)),
        examples=answers.LINEAGE,
        answered_by="gateway",
        ours=True,
    ),
    Endpoint(
        "listConversations",
        "GET /conversations",
        TAG,
        "List conversations",
        "Finds the tenant's conversations, at all targets, newest first. An unknown parameter is "
        "refused.",
        LinkList,
        query=tuple(parameters.of(ConversationsQuery)),
        examples=answers.CONVERSATION_LINKS,
        answered_by="gateway",
        ours=True,
    ),
)
