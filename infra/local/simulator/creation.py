"""Creates responses: for a request to the endpoint, or for a line of a batch."""

import re
from collections.abc import Sequence

from infra.local.simulator.api_request import Provider
from infra.local.simulator.errors import ApiError, RawResponse
from infra.local.simulator.item_pairs import check_pairs
from infra.local.simulator.items import Json, item_text, normalize_input
from infra.local.simulator.references import check_references
from infra.local.simulator.request_body import CreateRequest, check_create, reject_invalid_shapes
from infra.local.simulator.responses import SimulatedResponse, build_response
from infra.local.simulator.scenarios import find_scenario
from infra.local.simulator.state import MAX_ITEMS, Account, Conversation
from infra.local.simulator.supported_values import check_capabilities
from infra.local.simulator.tool_definitions import check_json_word

RESPONSE_ID = re.compile(r"[A-Za-z0-9_-]+")
CONVERSATION_LOCKED_MESSAGE = (
    "Another process is currently operating on this conversation. Please retry in a few seconds."
)


def start_response(
    provider: Provider, account: Account, body: Json, size: int
) -> SimulatedResponse | RawResponse | ApiError:
    """Creates and stores a response, or returns what the scenario has in place of one.

    `size` is that of the body. Raises ApiError for an invalid one.
    """
    check_create(body)
    create_request = build_create_request(account, body)
    scenario = find_scenario(create_request.model)
    if scenario.replacement:
        return scenario.replacement
    model = provider.model_name(create_request.model)
    with reject_invalid_shapes():
        check_capabilities(body, model)
        check_json_word(create_request.format, map(item_text, create_request.context))
        check_pairs(create_request.input_items, create_request.context)
        response = build_response(
            create_request, scenario, {"model": model, **provider.extra_fields}
        )
    account.store_response(response, size)
    conversation = _find_conversation(account, body)
    if conversation and not scenario.final_status.error:
        conversation.add_response(response)
    return response


def build_create_request(account: Account, body: Json) -> CreateRequest:
    """Adds the items of the conversation or of the previous response to the request."""
    conversation = _find_conversation(account, body)
    if conversation and conversation.is_locked:
        raise ApiError(400, CONVERSATION_LOCKED_MESSAGE, "conversation_locked", "conversation")
    history = conversation.items if conversation else _previous_items(account, body)
    with reject_invalid_shapes():
        check_references(account, body)
        input_items = normalize_input(account.resolve_references(body.get("input") or []))
    return CreateRequest(body, input_items, list(history)[-MAX_ITEMS:], account)


def _find_conversation(account: Account, body: Json) -> Conversation | None:
    conversation = body.get("conversation")
    id = conversation.get("id") if isinstance(conversation, dict) else conversation
    return account.find_conversation(str(id)) if id else None


def _previous_items(account: Account, body: Json) -> Sequence[Json]:
    """Returns the input and output items up to the previous response."""
    id = body.get("previous_response_id")
    if not id:
        return []
    if not RESPONSE_ID.fullmatch(id):
        message = (
            f"Invalid 'previous_response_id': '{id}'. Expected an ID that contains letters,"
            " numbers, underscores, or dashes, but this value contained additional characters."
        )
        raise ApiError(400, message, "invalid_value", "previous_response_id")
    previous = account.responses.get(id)
    if previous is None:
        message = f"Previous response with id '{id}' not found."
        raise ApiError(400, message, "previous_response_not_found", "previous_response_id")
    return [*previous.request.context, *previous.final["output"]]
