"""`antiphon keys create`: the key that it creates, and its output."""

import re
import time
from datetime import UTC, datetime

import pytest

from antiphon.settings.config import Limits
from antiphon.store.keys import key_digest, key_of_row
from infra.operator.key_options import LIMITS
from tests.support.commands import read_rows, run_antiphon, run_for_json

KEY = r"sk-antiphon-[A-Za-z0-9_-]{43}"
pytestmark = pytest.mark.usefixtures("stacks")


def create(*options):
    return run_for_json("keys", "create", "--tenant", "acme", *options)


def test_only_the_key_goes_to_stdout():
    done = run_antiphon("keys", "create", "--tenant", "acme", "--name", "shop")
    assert done.code == 0
    assert re.fullmatch(rf"{KEY}\n", done.out)
    assert done.out.strip() not in done.err
    assert "displayed once" in done.err
    for fact in ("acme", "shop", "https://url.example/v1", "https://rest.example/v1"):
        assert fact in done.err


def test_json_is_one_document():
    done = run_antiphon("keys", "create", "--tenant", "acme", "--json")
    assert done.err == ""
    assert set(done.json) == {
        "key",
        "id",
        "tenant",
        "name",
        "models",
        "limits",
        "created_at",
        "ends_at",
        "revoked_at",
        "replaced_by",
        "changes",
        "status",
        "unserved_models",
        "url",
        "rest",
    }
    assert done.json["status"] == "active"


def test_table_contains_the_hash_of_the_key():
    document = create()
    (row,) = read_rows("table-of-prod")
    assert row["pk"] == f"K#{key_digest(document['key'])}"
    assert document["key"] not in str(row)
    assert row["id"] == document["id"]


def test_all_options_are_stored():
    before = int(time.time())
    document = create(
        *("--name", "shop [red]", "--models", "gpt-5*, o3", "--models", "o3", "--models", "o4"),
        *("--rpm", "60", "--tpm", "100000", "--streams", "4", "--max-body-bytes", "5000000"),
        *("--max-output-tokens", "2000", "--budget-usd", "12.50", "--budget-period", "day"),
        *("--max-files", "5", "--max-file-bytes", "6000", "--max-vector-stores", "7"),
        *(
            "--max-containers",
            "8",
            "--files-target",
            "azure-east",
            "--policy",
            "apps",
            "--expires",
            "90d",
        ),
    )
    (row,) = read_rows("table-of-prod")
    row["limits"] = {
        n: v if isinstance(v, str) else float(v) if "usd" in n else int(v)
        for n, v in row["limits"].items()
    }
    key = key_of_row(row)
    assert key.models == ("gpt-5*", "o3", "o4")
    assert key.limits == Limits(
        rpm=60,
        tpm=100_000,
        streams=4,
        max_body_bytes=5_000_000,
        max_output_tokens=2_000,
        budget_usd=12.5,
        budget_period="day",
        max_files=5,
        max_file_bytes=6_000,
        max_vector_stores=7,
        max_containers=8,
        files_target="azure-east",
        policy="apps",
    )
    assert 0 <= key.ends_at - before - 90 * 86_400 <= 60
    assert document["models"] == ["gpt-5*", "o3", "o4"]
    assert document["limits"] == key.limits.model_dump()
    assert (document["name"], document["ends_at"]) == ("shop [red]", key.ends_at)


def test_every_limit_has_an_option():
    assert [name for name, _, _ in LIMITS] == [*Limits.model_fields]
    help = run_antiphon("keys", "create", "--help").out
    for name in Limits.model_fields:
        assert f"--{name.replace('_', '-')}" in help


@pytest.mark.parametrize(("stage", "code"), [("prod", 2), ("dev", 0)])
def test_target_for_files_must_exist_in_a_stack_that_names_its_targets(stage, code):
    done = run_antiphon(
        "keys", "create", "--tenant", "acme", "--files-target", "b", "--stage", stage
    )
    why = "--files-target: Antiphon-prod has no target 'b'. It has openai, azure-east."
    assert (done.code, why in done.err, bool(done.out)) == (code, code == 2, code == 0)


def test_without_options_a_key_has_no_limits():
    document = create()
    assert (document["models"], document["limits"], document["ends_at"]) == (None, {}, None)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2100-01-31", datetime(2100, 1, 31, tzinfo=UTC)),
        ("2100-01-31T12:00", datetime(2100, 1, 31, 12, tzinfo=UTC)),
        ("2100-01-31T12:00:00+01:00", datetime(2100, 1, 31, 11, tzinfo=UTC)),
        ("2100-01-31T12:00:00Z", datetime(2100, 1, 31, 12, tzinfo=UTC)),
    ],
)
def test_dates_are_utc_by_default(text, ends):
    assert create("--expires", text)["ends_at"] == int(ends.timestamp())
