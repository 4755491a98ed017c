"""Commands of the pages that call AWS are run, against an account that moto plays."""

import re
import string

import pytest

from antiphon.store.dynamodb import BatchTable
from antiphon.store.links import link_row
from tests.docs.aws_command import check_aws, run_aws
from tests.docs.blocks import find_blocks, find_commands
from tests.support.aws_clients import aws_client
from tests.support.commands import operator_account, run_antiphon, run_for_json
from tests.support.dynamodb import make_link
from tests.support.usage import make_usage

TABLE = "table-of-prod"
PROGRAMS = {"antiphon", "aws"}
# Proved by other tests, which need more than an account: programs, a gateway, a bucket, a change set.
RUN_BY_ANOTHER_TEST = {
    "antiphon conformance": "tests/conformance",
    "antiphon doctor": "tests/doctor",
    "antiphon local": "tests/local",
    "antiphon policy check": "tests/operator/test_policy_check.py",
    "aws cloudformation deploy": "tests/infra/test_infra_template.py",
    "aws s3 cp": "tests/infra/test_infra_template.py",
}
# moto does not have these: their parameters are checked only.
NOT_IN_MOTO = (
    "aws cloudformation update-termination-protection",
    "aws iam enable-outbound-web-identity-federation",
)
ASSIGNMENT = re.compile(r"^(?:export )?([A-Z_]+)=(\S+)$", re.MULTILINE)
BLOCKS = [
    block
    for block in find_blocks()
    if block.language == "sh" and any(words[0] in PROGRAMS for words in find_commands(block))
]
PAGES = sorted({block.page for block in BLOCKS})


@pytest.fixture
def account():
    """What the pages take for granted: a key, and a response whose usage is not counted.

    The value has the names of the pages, and those of the account.
    """
    with operator_account():
        made = run_for_json("keys", "create", "--tenant", "acme")
        link = make_link(status="completed", usage=make_usage())
        BatchTable(aws_client("dynamodb"), TABLE).put_all([link_row(link)])
        yield {"key_3f2a": made["id"], "TABLE": TABLE}


def fill(block, account):
    """Yield the commands of a block, with the names of this account in place of the examples."""
    variables = dict(ASSIGNMENT.findall(block.code))
    for words in find_commands(block):
        filled = (string.Template(word).safe_substitute(variables) for word in words)
        yield [account.get(word, word) for word in filled]


def run(words):
    if words[0] == "aws":
        call = check_aws if " ".join(words).startswith(NOT_IN_MOTO) else run_aws
        call(*words[1:])
        return
    done = run_antiphon(*words[1:], stdin="sk-a-key-of-the-provider\n")
    assert done.code == 0, (words, done.err)


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_call_aws_run(page, account):
    """In the order of the page: later ones use what earlier ones made."""
    for block in (block for block in BLOCKS if block.page == page):
        for words in fill(block, account):
            line = " ".join(words)
            if words[0] in PROGRAMS and not line.startswith(tuple(RUN_BY_ANOTHER_TEST)):
                run(words)


@pytest.mark.usefixtures("account")
def test_options_of_the_aws_cli_are_read_by_the_model_of_the_service():
    run_aws("dynamodb", "update-table", "--table-name", TABLE, "--deletion-protection-enabled")
    assert describe()["DeletionProtectionEnabled"] is True
    run_aws("dynamodb", "update-table", "--no-deletion-protection-enabled", "--table-name", TABLE)
    assert describe()["DeletionProtectionEnabled"] is False
    with pytest.raises(KeyError, match="colour"):
        run_aws("dynamodb", "update-table", "--colour", "red")


def describe():
    return run_aws("dynamodb", "describe-table", "--table-name", TABLE)["Table"]
