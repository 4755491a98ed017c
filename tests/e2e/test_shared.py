"""What `[shared]` lets tenants use and read, and what it does not let them change."""

import pytest

from tests.support.events import make_response, new_id

JSON = {"content-type": "application/json"}
PROMPT = b'{"prompt" : {"id":"pmpt_of_all"},\t"x":1e2}'
SEARCH = b'{"model":"public","input":"x","tools":[{"vector_store_ids":[ "vs_of_acme"],"type":"file_search"}]}'
STORE = "/vector_stores/vs_of_acme"


def answer(provider):
    provider.respond_with_json(make_response(new_id()))


@pytest.mark.parametrize("tenant", ["acme", "umbra"])
def test_what_is_shared_with_all_reaches_its_target(gateway, provider, door, tenant):
    answer(provider)
    with gateway.client(door, tenant) as client:
        response = client.post("/responses", content=PROMPT, headers=JSON)
    assert (response.status_code, response.headers["x-antiphon-target"]) == (200, "openai")
    assert [got.body for got in provider.received] == [PROMPT]


def test_what_is_shared_with_a_tenant_is_used_and_read_at_its_target(client, provider):
    for method, path, body in [
        ("POST", "/responses", SEARCH),
        ("GET", STORE, b""),
        ("GET", f"{STORE}/files", b""),
        ("POST", f"{STORE}/search", b'{"query":"x"}'),
    ]:
        answer(provider)
        response = client.request(method, path, content=body, headers=JSON)
        assert (response.status_code, response.headers["x-antiphon-target"]) == (200, "azure")
    assert len(provider.received) == 4


@pytest.mark.parametrize(
    ("tenant", "method", "path", "body"),
    [
        ("acme", "DELETE", STORE, b""),
        ("acme", "POST", STORE, b'{"name":"x"}'),
        ("acme", "POST", f"{STORE}/files", b'{"file_id":"file-1"}'),
        ("acme", "DELETE", f"{STORE}/files/file-1", b""),
        ("umbra", "POST", "/responses", SEARCH),
        ("umbra", "GET", STORE, b""),
        ("umbra", "POST", f"{STORE}/search", b'{"query":"x"}'),
    ],
)
def test_all_else_is_not_found(gateway, provider, door, tenant, method, path, body):
    with gateway.client(door, tenant) as client:
        response = client.request(method, path, content=body, headers=JSON)
        other = client.request(
            method,
            path.replace("of_acme", "unknown"),
            content=body.replace(b"of_acme", b"unknown"),
            headers=JSON,
        )
    assert response.status_code == other.status_code == 404
    assert response.text == other.text.replace("unknown", "of_acme")
    assert provider.received == []


def test_what_is_shared_has_no_row_and_so_is_in_no_list(gateway):
    assert gateway.row("T#acme#vector_store#vs_of_acme") is None
