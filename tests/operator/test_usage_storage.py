"""`antiphon usage`: what tenants and keys have stored."""

import pytest

from tests.support.commands import run_antiphon, run_for_json
from tests.support.usage import add_storage, add_usage

pytestmark = pytest.mark.usefixtures("stacks")
ACME = {"files": 12, "file_bytes": 3_400_000, "vector_stores": 2, "containers": 1}
NOTHING = dict.fromkeys(ACME, 0)


def table(*options):
    """The lines of the table of what is stored, and the remarks."""
    done = run_antiphon("usage", *options)
    assert done.code == 0, done.err
    return [line.split() for line in done.out.splitlines() if line.strip()], done.err


def store_some():
    add_storage(**ACME)
    add_storage(key_id="key_1", **ACME)
    add_storage("umbra", files=3, file_bytes=999)
    add_storage("umbra", key_id="key_2", files=3, file_bytes=999)
    add_storage("gone")


def test_tenants_or_keys_are_listed_with_what_they_have_stored():
    store_some()
    heading, _, *rows = table()[0]
    assert heading == ["tenant", "files", "size", "vector", "stores", "containers"]
    assert rows == [["acme", "12", "3.4", "MB", "2", "1"], ["umbra", "3", "999", "bytes", "0", "0"]]
    heading, _, *rows = table("--by", "key", "--tenant", "acme")[0]
    assert heading[:3] == ["tenant", "key", "files"]
    assert rows == [["acme", "key_1", "12", "3.4", "MB", "2", "1"]]
    assert max(len(line) for line in run_antiphon("usage", "--by", "key").out.splitlines()) <= 80
    assert "files 15 (3.4 MB), vector stores 2, containers 1." in table()[1]


def test_json_has_the_tenants_and_their_keys():
    store_some()
    found = run_for_json("usage")["storage"]
    assert found[:2] == [
        {"tenant": "acme", "key_id": None, **ACME},
        {"tenant": "acme", "key_id": "key_1", **ACME},
    ]
    assert found[2] == {"tenant": "gone", "key_id": None, **NOTHING}
    one = run_for_json("usage", "--tenant", "umbra")["storage"]
    assert [(each["tenant"], each["key_id"]) for each in one] == [
        ("umbra", None),
        ("umbra", "key_2"),
    ]


def test_nothing_stored_is_not_mentioned():
    add_usage()
    lines, remarks = table()
    assert "containers" not in str(lines) + remarks
    assert run_for_json("usage")["storage"] == []


def test_container_minutes_are_an_estimate_and_no_request():
    add_usage(model="gpt-5")
    container = {"requests": 0, "completed": 0, "input_tokens": 0, "output_tokens": 0}
    add_usage(model="", total_tokens=0, **container, estimated_container_minutes=40)
    lines, remarks = table()
    assert [line[0] for line in lines if line[0][0].isalpha()] == ["model", "gpt-5", "total"]
    assert "Containers ran for about 40 minutes: an estimate" in remarks
    assert run_for_json("usage")["total"]["estimated_container_minutes"] == 40
