"""The headers that let any page read an answer, in both forms of a response."""

import pytest

from antiphon.api.cors import MAX_EXPOSED_CHARS, Cors

REQUEST = {"origin": "https://a.example", "access-control-request-method": "POST"}


@pytest.mark.parametrize("headers", [{}, REQUEST])
def test_every_origin_may_read_what_is_public_to_all(headers):
    response = Cors(frozenset({"*"})).add_to({"headers": {"x-a": "1"}}, headers)
    assert response["headers"] == {
        "x-a": "1",
        "access-control-allow-origin": "*",
        "access-control-expose-headers": "x-a",
    }


def test_an_answer_that_varies_already_varies_by_origin_too():
    response = {"multiValueHeaders": {"vary": ["accept-encoding"]}}
    added = Cors(frozenset({"https://a.example"})).add_to(response, REQUEST)["multiValueHeaders"]
    assert added["vary"] == ["accept-encoding, origin"]
    assert added["access-control-allow-origin"] == ["https://a.example"]


def test_a_long_list_of_names_is_replaced_by_all():
    headers = {f"x-{number:090}": "" for number in range(MAX_EXPOSED_CHARS // 90)}
    added = Cors(frozenset({"*"})).add_to({"headers": headers}, {})["headers"]
    assert added["access-control-expose-headers"] == "*"


@pytest.mark.parametrize("names", ["x\r\ny: z", "", "x" * 2_001, '"'])
def test_names_that_are_none_are_not_repeated(names):
    asked = {**REQUEST, "access-control-request-headers": names}
    reply = Cors(frozenset({"*"})).preflight(asked)
    assert "access-control-allow-headers" not in reply.headers
