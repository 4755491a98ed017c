"""Cases of POST /responses/compact and of the WebSocket; a docstring is what is specified."""

import base64
import secrets
from http import HTTPStatus

from infra.conformance.create_cases import message
from infra.conformance.endpoint import Endpoint, read_json, require
from infra.conformance.shapes import check_response

WEBSOCKET_VERSION = "13"


def compact(endpoint: Endpoint) -> None:
    """POST /responses/compact returns a response.compaction whose output stands for the input."""
    compaction = endpoint.post("/responses/compact", input=[message("user", "I am Ada.")])
    require(compaction.get("object") == "response.compaction", f"It is {compaction.get('object')}.")
    types = [item.get("type") for item in compaction["output"]]
    require("compaction" in types, f"The output has {types}.")


def compact_continuation(endpoint: Endpoint) -> None:
    """The output of a compaction is the input of the next response."""
    compaction = endpoint.post("/responses/compact", input=[message("user", "I am Ada.")])
    items = [*compaction["output"], message("user", "Who am I?")]
    check_response(endpoint.create(input=items))


def compact_previous_response(endpoint: Endpoint) -> None:
    """POST /responses/compact accepts a `previous_response_id`."""
    first = endpoint.create(input="I am Ada.")
    compaction = endpoint.post("/responses/compact", previous_response_id=first["id"])
    require(compaction.get("object") == "response.compaction", f"It is {compaction.get('object')}.")


def websocket_response(endpoint: Endpoint) -> None:
    """A WebSocket on /responses accepts response.create and sends the events of a stream."""
    _open_websocket(endpoint)


def websocket_continuation(endpoint: Endpoint) -> None:
    """Turns on one WebSocket go on by `previous_response_id`, also with `store: false`."""
    _open_websocket(endpoint)


def websocket_errors(endpoint: Endpoint) -> None:
    """Errors on a WebSocket are structured events."""
    _open_websocket(endpoint)


def _open_websocket(endpoint: Endpoint) -> None:
    headers = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": WEBSOCKET_VERSION,
        "sec-websocket-key": base64.b64encode(secrets.token_bytes(16)).decode(),
    }
    answer = endpoint.send("GET", "/responses", headers=headers)
    code = (read_json(answer).get("error") or {}).get("code")
    status = answer.status_code
    require(status == HTTPStatus.SWITCHING_PROTOCOLS, f"The upgrade gets {status} {code}.")


TRANSPORT_CASES = (
    compact,
    compact_continuation,
    compact_previous_response,
    websocket_response,
    websocket_continuation,
    websocket_errors,
)
