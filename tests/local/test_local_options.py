import pytest

from infra.local.options import GatewayOptions, InvalidKeys, LocalKey, parse_keys
from infra.local.target_setup import TargetSetup


def test_keys_are_read_with_their_tenants():
    keys = parse_keys("acme=sk-acme_1234, acme=another1,umbra=sk-umbra")
    assert keys == [
        LocalKey("acme", "sk-acme_1234"),
        LocalKey("acme", "another1"),
        LocalKey("umbra", "sk-umbra"),
    ]


@pytest.mark.parametrize("text", [None, "", " "])
def test_without_any_there_is_one_random_key(text):
    one, two = parse_keys(text), parse_keys(text)
    assert [key.tenant for key in (*one, *two)] == ["local", "local"]
    assert one != two


@pytest.mark.parametrize(
    "text",
    [
        "acme",
        "=12345678",
        "acme=1234567",
        "acme=" + "x" * 129,
        "acme=12345678é",
        "acme=1234 5678",
        "ac#me=12345678",
        "acme=12345678,",
    ],
)
def test_an_invalid_entry_is_refused_without_printing_it(text):
    with pytest.raises(InvalidKeys, match="ANTIPHON_LOCAL_KEYS: entry") as raised:
        parse_keys(text)
    assert "12345678" not in str(raised.value)


def test_a_key_for_two_tenants_is_refused():
    with pytest.raises(InvalidKeys, match="twice"):
        parse_keys("a=12345678,b=12345678")


def test_all_runtimes_start_with_the_gateway_where_no_other_number_is_given():
    def count(**more):
        return GatewayOptions([], TargetSetup({}, {}, {}), [], {}, **more).started_runtimes

    assert count() == count(provisioned=9) == 8
    assert count(concurrency=200) == 200
    assert count(concurrency=200, provisioned=1) == 1
