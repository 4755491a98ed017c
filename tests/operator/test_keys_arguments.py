"""Arguments that `antiphon keys` refuses before it contacts AWS."""

import pytest

from tests.support.commands import EMPTY_ENVIRONMENT, run_antiphon


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--tenant", ""], "'' is not 1 to 64 characters"),
        (["--tenant", "a#b"], "'a#b' is not 1 to 64 characters"),
        (["--tenant", "x" * 65], "is not 1 to 64 characters"),
        (["--tenant", "acme\n"], "is not 1 to 64 characters"),
        (["--name", ""], "1 to 100 printable characters"),
        (["--name", "\x1b[31m"], "1 to 100 printable characters"),
        (["--models", "gpt-5,,o3"], "'' is not the name of a model"),
        (["--models", "gpt 5"], "'gpt 5' is not the name of a model"),
        (["--models", "*-5-*"], "a pattern has one * at most"),
        (["--rpm", "0"], "--rpm"),
        (["--rpm", "1.5"], "--rpm"),
        (["--budget-usd", "0"], "--budget-usd"),
        (["--budget-usd", "inf"], "--budget-usd: Input should be a finite number"),
        (["--budget-usd", "nan"], "--budget-usd"),
        (["--files-target", "Azure East"], "--files-target: String should match pattern"),
        (["--budget-period", "day"], "--budget-period goes with --budget-usd"),
        (["--expires", "0"], "is in the past"),
        (["--expires", "2020-01-01"], "is in the past"),
        (["--expires", "tomorrow"], "neither a duration such as 90d nor a date such as"),
        (["--expires", "9999999999w"], "neither a duration"),
        (["--local-port", "8080"], "--local-port goes with --local"),
        (["--local", "--stage", "dev"], "--local goes without --stage"),
    ],
)
def test_invalid_options_are_usage_errors(options, why):
    done = run_antiphon("keys", "create", "--tenant", "acme", *options, env=EMPTY_ENVIRONMENT)
    assert (done.code, done.out) == (2, "")
    assert why in done.err


def test_tenant_is_required():
    done = run_antiphon("keys", "create", env=EMPTY_ENVIRONMENT)
    assert (done.code, "--tenant" in done.err) == (2, True)


def test_help_lists_commands_and_explains_stdin():
    help = run_antiphon("keys", "--help", env=EMPTY_ENVIRONMENT).out
    for word in (
        "create",
        "list",
        "show",
        "update",
        "revoke",
        "rotate",
        "--local",
        "standard input",
    ):
        assert word in help


@pytest.mark.parametrize("command", ["create", "list", "show", "update", "revoke", "rotate"])
def test_every_command_has_deployment_and_json_options(command):
    help = run_antiphon("keys", command, "--help", env=EMPTY_ENVIRONMENT).out
    for option in ("--stage", "--region", "--profile", "--local", "--local-port", "--json"):
        assert f"  {option} " in help
