"""/conversations/{id}/items, as OpenAI has them."""

from antiphon.schema.other_bodies import CreateItems
from infra.reference import parameters
from infra.reference.answers import Conversation, StoredItem, StoredItemList
from infra.reference.endpoints.endpoint import Body, Endpoint
from infra.reference.examples import answers, requests

TAG = "Conversation items"
ITEMS = (
    Endpoint(
        "createConversationItems",
        "POST /conversations/{id}/items",
        TAG,
        "Add items",
        "Adds up to 20 items to a conversation.",
        StoredItemList,
        query=(parameters.INCLUDE,),
        body=Body(CreateItems, examples=requests.ADD),
        examples=answers.ITEMS,
    ),
    Endpoint(
        "listConversationItems",
        "GET /conversations/{id}/items",
        TAG,
        "List items",
        "Tells a conversation's items, page by page.",
        StoredItemList,
        query=parameters.PAGE,
        examples=answers.ITEMS,
    ),
    Endpoint(
        "getConversationItem",
        "GET /conversations/{id}/items/{item_id}",
        TAG,
        "Retrieve an item",
        "Tells one item of a conversation.",
        StoredItem,
        query=(parameters.INCLUDE,),
        examples=answers.ITEM,
    ),
    Endpoint(
        "deleteConversationItem",
        "DELETE /conversations/{id}/items/{item_id}",
        TAG,
        "Delete an item",
        "Takes one item out of a conversation, and answers with the conversation.",
        Conversation,
        examples=answers.CONVERSATION,
    ),
)
