"""`antiphon usage recount`: what it prints, and what it changes."""

import pytest

from antiphon.store.dynamodb import BatchTable
from antiphon.store.links import link_row
from tests.support.aws_clients import aws_client
from tests.support.commands import read_rows, run_antiphon, run_for_json
from tests.support.dynamodb import make_link
from tests.support.usage import make_usage

pytestmark = pytest.mark.usefixtures("stacks")
CONFIG = '[targets.openai]\nprovider = "openai"\nmodels = ["*"]\n[prices.special]\ninput = 2.0\n'
SINCE = ("--since", "2023-11-14")


@pytest.fixture
def recount(tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG + "output = 0.0\n")
    return ("usage", "recount", "--config", str(config))


def write_links():
    """Write the responses of two tenants with keys: three of acme, one of umbra."""
    for tenant in ("acme", "umbra"):
        run_for_json("keys", "create", "--tenant", tenant)
    ended = {"status": "completed", "model": "special", "usage": make_usage(input=1_000_000)}
    tenants = ("acme", "acme", "acme", "umbra")
    made = [make_link(n, tenant=tenant, **ended) for n, tenant in enumerate(tenants)]
    batch = BatchTable(aws_client("dynamodb"), "table-of-prod")
    batch.put_all(map(link_row, made))


def test_a_dry_run_changes_nothing_and_the_run_counts_once(recount):
    write_links()
    before = read_rows("table-of-prod")
    expected = [
        {"tenant": "acme", "links": 3, "uncounted": 3, "unpolled": 0},
        {"tenant": "umbra", "links": 1, "uncounted": 1, "unpolled": 0},
    ]
    assert run_for_json(*recount, *SINCE, "--dry-run")["data"] == expected
    assert sorted(read_rows("table-of-prod"), key=str) == sorted(before, key=str)
    assert run_for_json(*recount, *SINCE)["data"] == expected
    done = run_antiphon(*recount, *SINCE)
    assert [line.split() for line in done.out.splitlines()[2:]] == [
        ["acme", "3", "0", "0"],
        ["umbra", "1", "0", "0"],
    ]
    assert "All of 4 links are counted." in done.err
    report = run_for_json("usage", "--by", "tenant", "--since", "2023-11-14")["data"]
    assert [(each["requests"], each["cost_usd"]) for each in report] == [(3, "6"), (1, "2")]


def test_one_tenant_and_a_later_day_can_be_chosen(recount):
    write_links()
    one = run_for_json(*recount, *SINCE, "--tenant", "umbra")["data"]
    assert [each["tenant"] for each in one] == ["umbra"]
    later = run_antiphon(*recount, "--since", "2023-11-15")
    assert "All of 0 links are counted." in later.err


def test_invalid_options_are_refused(recount, tmp_path):
    assert "Missing option '--since'" in run_antiphon(*recount).err
    misplaced = run_antiphon("usage", "--tenant", "acme", "recount", *SINCE)
    assert (misplaced.code, "Write options after `recount`." in misplaced.err) == (2, True)
    missing = run_antiphon("usage", "recount", *SINCE, "--config", str(tmp_path / "none.toml"))
    assert (missing.code, "there is no such file" in missing.err) == (1, True)


def test_help_needs_no_credentials():
    assert "--dry-run" in run_antiphon("usage", "recount", "--help", env={}).out
