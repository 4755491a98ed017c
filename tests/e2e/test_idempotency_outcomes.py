"""What a key stands for when its first request came to no response that can be given again."""

import pytest

from tests.support.events import new_id
from tests.support.provider import CLOSE, RESET, encode_response
from tests.support.requests import (
    IN_FLIGHT,
    LONG_AGO,
    NOT_STORED,
    KeyedRequest,
    count_posts,
    encode_stored,
    read_error,
    request_lines,
)


@pytest.mark.parametrize("status", [400, 404, 408, 409, 422, 429, 503])
def test_after_a_refusal_the_key_is_free(provider, keyed, status):
    provider.respond_with(
        encode_response(b'{"error":{"message":"m","type":"t","param":"input","code":"c"}}', status)
    )
    assert keyed.create().status_code == status
    provider.respond_with(encode_response(encode_stored()))
    got = keyed.create(input="y")
    assert (got.status_code, "x-antiphon-replayed" in got.headers) == (200, False)
    assert count_posts(provider) == 2


@pytest.mark.parametrize("status", [401, 403])
def test_a_wrong_credential_of_the_gateways_frees_the_key(provider, keyed, status):
    provider.respond_with(encode_response(b"{}", status))
    assert read_error(keyed.create())[:2] == (502, "upstream_auth")
    provider.respond_with(encode_response(encode_stored()))
    assert keyed.create().status_code == 200


@pytest.mark.parametrize(
    "refused", [{"model": "unknown"}, {"previous_response_id": "resp_0"}, {"model": None}], ids=str
)
def test_after_our_own_refusal_the_key_is_free(provider, keyed, refused):
    assert keyed.create(**refused).status_code in {400, 404}
    provider.respond_with(encode_response(encode_stored()))
    assert keyed.create().status_code == 200


AMBIGUOUS = {
    "500": ((encode_response(b'{"error":{"code":"server_error"}}', 500),), 500, "upstream_failed"),
    "501": ((encode_response(b"", 501),), 501, "upstream_failed"),
    "524": ((encode_response(b"<html>", 524, "text/html"),), 524, "upstream_failed"),
    "529": ((encode_response(b"{}", 529),), 529, "upstream_failed"),
    "502": ((encode_response(b"<html>", 502, "text/html"),), 502, "upstream_failed"),
    "504": ((encode_response(b"", 504),), 504, "upstream_failed"),
    "closed": ((CLOSE,), 502, "upstream_failed"),
    "reset": ((RESET,), 502, "upstream_failed"),
    "half": ((encode_response(b'{"id":"resp_1"')[:-5], CLOSE), 502, "upstream_failed"),
    "nameless": ((encode_response(b'{"object":"response"}'),), 502, "upstream_failed"),
}


@pytest.mark.parametrize(("script", "status", "code"), AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_what_may_have_been_processed_is_not_sent_again(provider, keyed, script, status, code):
    provider.respond_with(*script)
    assert keyed.create().status_code == status
    for _ in range(2):
        again = keyed.create()
        assert read_error(again) == (status, code, "false")
        assert again.headers["x-antiphon-replayed"] == "true"
    assert count_posts(provider) == len(provider.received) == 1


def test_what_was_not_stored_cannot_be_given_again(provider, client):
    keyed, id = KeyedRequest(client, store=False), new_id()
    provider.respond_with(encode_response(encode_stored(id)))
    keyed.create()
    got = keyed.create()
    assert read_error(got) == NOT_STORED
    assert id in got.json()["error"]["message"]
    assert len(provider.received) == 1


def test_what_was_deleted_cannot_be_given_again(provider, client, keyed):
    id = new_id()
    provider.respond_with(encode_response(encode_stored(id)))
    keyed.create()
    provider.respond_with(encode_response(b'{"deleted":true}'))
    client.delete(f"/responses/{id}")
    assert read_error(keyed.create()) == NOT_STORED
    assert request_lines(provider) == ["POST /v1/responses", f"DELETE /v1/responses/{id}"]


def test_what_the_provider_has_forgotten_cannot_be_given_again(provider, keyed):
    provider.respond_with(encode_response(encode_stored(completed_at=LONG_AGO)))
    keyed.create()
    provider.respond_with(encode_response(b'{"error":{}}', 404))
    assert read_error(keyed.create()) == NOT_STORED


def test_what_the_provider_does_not_know_yet_is_waited_for(provider, keyed):
    provider.respond_with(encode_response(encode_stored()))
    keyed.create()
    provider.respond_with(encode_response(b'{"error":{}}', 404))
    assert read_error(keyed.create()) == IN_FLIGHT


@pytest.mark.parametrize("status", [429, 500])
def test_an_owner_that_cannot_tell_now_is_passed_on(provider, keyed, status):
    provider.respond_with(encode_response(encode_stored()))
    keyed.create()
    provider.respond_with(encode_response(b'{"error":{"code":"c"}}', status))
    got = keyed.create()
    assert (got.status_code, "x-antiphon-replayed" in got.headers) == (status, False)
    assert count_posts(provider) == 1
