"""A bad body is refused alike in each encoding of an event; a wrong encoding is one more reason."""

import base64
import json

import pytest

from infra.local.http.events import build_rest_event, build_url_event
from infra.local.http.request import HttpRequest
from tests.e2e.test_bad_input import BODIES
from tests.support.handler import KEY, run_handler

BUILD = {"url": build_url_event, "rest": build_rest_event}
CASES = {name: case for name, case in BODIES.items() if name != "unknown model"}  # none is


@pytest.fixture(scope="module")
def handler(tmp_path_factory):
    with run_handler(tmp_path_factory.mktemp("handler")) as handler:
        yield handler


@pytest.fixture(params=BUILD)
def refuse(request, handler):
    """Sends a body, as the text of an event; returns the status and what the error is about."""
    pairs = (("authorization", f"Bearer {KEY}"),)
    event = BUILD[request.param](HttpRequest("POST", "/v1/responses", "", pairs, b""))

    def refuse(body, *, is_base64):
        answer = handler(event | {"body": body, "isBase64Encoded": is_base64})
        assert handler.received == []
        return answer.status, json.loads(answer.body)["error"]["param"]

    return refuse


@pytest.mark.parametrize("name", CASES)
def test_a_bad_body_is_refused_by_the_name_of_the_field(refuse, name):
    body, status, param = CASES[name]
    packed = base64.b64encode(body).decode()
    assert refuse(packed, is_base64=True) == (status, param)
    assert refuse(packed, is_base64=False) in {(400, "body"), (413, None)}
    text = body.decode(errors="surrogateescape")
    assert refuse(text, is_base64=True) in {(400, "body"), (413, None)}
    if text.isprintable():
        assert refuse(text, is_base64=False) == (status, param)
