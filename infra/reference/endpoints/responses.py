"""/responses and /models, as OpenAI has them."""

from antiphon.schema.create import CreateResponse
from antiphon.schema.other_bodies import Compact, InputTokens
from infra.reference import parameters
from infra.reference.answers import (
    Compaction,
    DeletedResponse,
    InputTokenCount,
    ModelList,
    ModelObject,
    Response,
    StoredItemList,
)
from infra.reference.endpoints.endpoint import Body, Endpoint
from infra.reference.examples import answers, requests, responses

RESPONSES = (
    Endpoint(
        "createResponse",
        "POST /responses",
        "Responses",
        "Create a response",
        "Sends the request to a target that serves `model`, or to the one that holds what it "
        "continues. The body goes on byte for byte, but for the value of `model` where the target "
        "names it differently, and `max_tokens`, which goes on as `max_output_tokens`. Needs "
        "`model` or `prompt`, and one of `input`, `prompt`, `conversation` and "
        "`previous_response_id`; the last two exclude each other.",
        Response,
        query=(parameters.IDEMPOTENCY_KEY,),
        body=Body(CreateResponse, examples=requests.CREATE),
        examples=responses.RESPONSES,
        stream="`stream` is true",
    ),
    Endpoint(
        "getResponse",
        "GET /responses/{id}",
        "Responses",
        "Retrieve a response",
        "Tells how far a response is, or resumes its stream behind an event.",
        Response,
        query=parameters.RESUME,
        examples={"Completed": responses.RESPONSES["Completed"]},
        stream="`stream=true`",
    ),
    Endpoint(
        "deleteResponse",
        "DELETE /responses/{id}",
        "Responses",
        "Delete a response",
        "Deletes it at its provider; its id is refused from then on.",
        DeletedResponse,
        examples=answers.DELETED_RESPONSE,
    ),
    Endpoint(
        "cancelResponse",
        "POST /responses/{id}/cancel",
        "Responses",
        "Cancel a background response",
        "Stops a response that was created with `background: true`; again does no harm.",
        Response,
        examples=responses.CANCELLED,
    ),
    Endpoint(
        "listInputItems",
        "GET /responses/{id}/input_items",
        "Responses",
        "List a response's input",
        "Tells the items that the response was generated from, page by page.",
        StoredItemList,
        query=parameters.PAGE,
        examples=answers.ITEMS,
    ),
    Endpoint(
        "countInputTokens",
        "POST /responses/input_tokens",
        "Responses",
        "Count input tokens",
        "Counts what the input of such a create would cost; nothing is generated.",
        InputTokenCount,
        body=Body(InputTokens, examples=requests.COUNT),
        examples=answers.COUNTED,
    ),
    Endpoint(
        "compactResponse",
        "POST /responses/compact",
        "Responses",
        "Compact a conversation",
        "Makes a long input short: the answer's `output` is the input to go on with.",
        Compaction,
        body=Body(Compact, examples=requests.COMPACT),
        examples=answers.COMPACTED,
    ),
)
MODELS = (
    Endpoint(
        "listModels",
        "GET /models",
        "Models",
        "List models",
        "Lists what this key may call, by the names to give as `model`.",
        ModelList,
        examples=answers.MODELS,
        answered_by="gateway",
    ),
    Endpoint(
        "getModel",
        "GET /models/{model}",
        "Models",
        "Retrieve a model",
        "Tells of one model that this key may call.",
        ModelObject,
        examples=answers.MODEL,
        answered_by="gateway",
    ),
)
