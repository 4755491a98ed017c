"""/conversations, as OpenAI has them."""

from antiphon.schema.other_bodies import CreateConversation, UpdateConversation
from infra.reference.answers import Conversation, DeletedConversation
from infra.reference.endpoints.endpoint import Body, Endpoint
from infra.reference.examples import answers, requests

TAG = "Conversations"
CONVERSATIONS = (
    Endpoint(
        "createConversation",
        "POST /conversations",
        TAG,
        "Create a conversation",
        "Creates it at a target that keeps conversations; responses with it go there.",
        Conversation,
        body=Body(CreateConversation, required=False, examples=requests.START),
        examples=answers.CONVERSATION,
    ),
    Endpoint(
        "getConversation",
        "GET /conversations/{id}",
        TAG,
        "Retrieve a conversation",
        "Tells of a conversation, without its items.",
        Conversation,
        examples=answers.CONVERSATION,
    ),
    Endpoint(
        "updateConversation",
        "POST /conversations/{id}",
        TAG,
        "Update a conversation",
        "Gives it other metadata.",
        Conversation,
        body=Body(UpdateConversation, examples=requests.UPDATE),
        examples=answers.CONVERSATION,
    ),
    Endpoint(
        "deleteConversation",
        "DELETE /conversations/{id}",
        TAG,
        "Delete a conversation",
        "Deletes it at its provider; its id is refused from then on. Its items stay there.",
        DeletedConversation,
        examples=answers.DELETED_CONVERSATION,
    ),
)
