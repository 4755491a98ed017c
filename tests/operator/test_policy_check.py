"""`antiphon policy check`, and the policy that a key has."""

import json

import pytest
from click.testing import CliRunner

from infra.cli import main
from tests.support.commands import run_antiphon

CONFIG = """
[policy]
deny_tools = ["mcp"]
[policies.apps]
max_effort = "low"
[tenants.acme]
policy = "apps"
[targets.openai]
provider = "openai"
models = ["gpt-*"]
"""
BODY = {"model": "gpt-5", "input": "x", "tools": ["mcp"], "reasoning": {"effort": "high"}}


@pytest.fixture
def check(tmp_path):
    config = tmp_path / "gateway.toml"
    config.write_text(CONFIG)

    def run(body, *options):
        arguments = ["policy", "check", "-", "--config", str(config), *options]
        return CliRunner().invoke(main, arguments, input=json.dumps(body))

    return run


@pytest.mark.parametrize(
    ("options", "rules"),
    [
        ((), ["[policy] deny_tools"]),
        (("--tenant", "acme"), ["[policy] deny_tools", "[policies.apps] max_effort"]),
        (("--policy", "apps"), ["[policy] deny_tools", "[policies.apps] max_effort"]),
    ],
)
def test_each_violation_is_printed(check, options, rules):
    done = check(BODY, *options, "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)["violations"]
    assert [each["rule"] for each in found] == rules
    assert found[0]["path"] == "tools[0]"
    text = check(BODY, *options)
    assert text.exit_code == 1
    assert all(rule in text.stdout for rule in rules)


def test_a_body_that_is_allowed_exits_with_0(check):
    done = check({"model": "gpt-5", "input": "x"}, "--tenant", "acme")
    assert (done.exit_code, done.stdout) == (0, "No policy is violated.\n")


@pytest.mark.parametrize(
    ("body", "options", "words"),
    [
        ({"model": "gpt-5"}, (), "refuse this body without a policy: Missing required"),
        (BODY, ("--policy", "gone"), "has no policy 'gone'"),
        (BODY, ("--config", "/nowhere.toml"), "there is no such file"),
    ],
)
def test_what_cannot_be_checked_exits_with_2(check, body, options, words):
    done = check(body, *options)
    assert done.exit_code == 2
    assert words in done.output


@pytest.mark.usefixtures("stacks")
def test_a_key_gets_a_policy_that_the_stack_has():
    refused = run_antiphon("keys", "create", "--tenant", "acme", "--policy", "gone")
    assert refused.code == 2
    assert "has no policy 'gone'. It has apps." in refused.err
    made = run_antiphon("keys", "create", "--tenant", "acme", "--policy", "apps", "--json").json
    shown = run_antiphon("keys", "list").out
    assert "policy apps" in shown
    changed = run_antiphon("keys", "update", made["id"], "--policy", "none").err
    assert "policy apps -> none" in changed
