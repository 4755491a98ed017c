import pytest

from infra.local.http.response import read_prelude
from infra.local.runtime_api.invocation import Failed


async def pieces(*given):
    for piece in given:
        yield piece


async def test_a_prelude_may_come_in_pieces_and_with_the_first_of_the_body():
    begun, first = await read_prelude(
        pieces(b'{"status', b'Code":201}' + bytes(4), bytes(4) + b"b")
    )
    assert (begun.status, first) == (201, b"b")


async def test_single_and_multiple_values_of_a_header_are_merged():
    text = b'{"statusCode":200,"headers":{"A":"1","B":2},"multiValueHeaders":{"A":["1","3"]}}'
    begun, _ = await read_prelude(pieces(text + bytes(8)))
    assert begun.headers.getall("a") == ["1", "3"]
    assert begun.headers["b"] == "2"


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b'{"statusCode":200}',
        b"x" * 20_000,
        b"no json" + bytes(8),
        b"[]" + bytes(8),
        b"{}" + bytes(8),
        b'{"statusCode":99}' + bytes(8),
        b'{"statusCode":"200"}' + bytes(8),
        b'{"statusCode":200,"headers":["a"]}' + bytes(8),
        b'{"statusCode":200,"headers":{"a":"x\\r\\nb: y"}}' + bytes(8),
    ],
)
async def test_a_response_without_a_valid_prelude_is_a_failure(given):
    with pytest.raises(Failed) as raised:
        await read_prelude(pieces(given))
    assert "x\\r" not in str(raised.value)
