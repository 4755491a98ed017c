"""A request goes to targets that serve what it needs; where there are none, nothing is sent."""

import json

import pytest

from tests.support.events import make_response, new_id
from tests.support.provider import encode_response

DOORS = ["url", "rest"]


@pytest.mark.parametrize("door", DOORS)
def test_a_target_that_has_no_background_responses_is_skipped(many, providers, door):
    providers["second"].respond_with(encode_response(json.dumps(make_response(new_id())).encode()))
    body = {"model": "either", "input": "x", "background": True}
    with many.client(door) as client:
        answer = client.post("/responses", json=body)
    assert (answer.status_code, answer.headers["x-antiphon-target"]) == (200, "second")
    assert answer.headers["x-antiphon-attempts"] == "1"
    assert providers["first"].received == []


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("path", "more", "words"),
    [("", {"background": True}, "background responses"), ("/compact", {}, "compaction")],
)
def test_what_no_target_serves_is_a_400_before_anything_is_sent(
    many, providers, door, path, more, words
):
    body = {"model": "plain", "input": "x", **more}
    with many.client(door) as client:
        answer = client.post(f"/responses{path}", json=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "not_supported_by_target")
    assert f"No target for this request serves {words}. Considered: plain." in error["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert all(not provider.received for provider in providers.values())


def test_what_the_target_of_a_response_does_not_serve_is_a_400(many, providers):
    id = new_id()
    providers["first"].respond_with(encode_response(json.dumps(make_response(id)).encode()))
    with many.client() as client:
        created = client.post("/responses", json={"model": "plain", "input": "x"})
        refused = client.get(f"/responses/{id}")
    assert created.status_code == 200
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        400,
        "not_supported_by_target",
    )
    assert "the retrieval of responses" in refused.json()["error"]["message"]
    assert len(providers["first"].received) == 1
