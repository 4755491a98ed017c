"""The operators' commands, run in this process against stacks that moto holds."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from infra.cli import main
from infra.local.aws import moto_lookups
from infra.local.aws.resources import table_definition
from tests.support.aws_clients import aws_client, aws_table, local_aws

# Without the developer's own AWS settings, and without a search for them.
NO_AWS = dict.fromkeys(
    (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_ENDPOINT_URL",
    )
)
EMPTY_ENVIRONMENT = {
    **NO_AWS,
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
    "ANTIPHON_LOCAL_NOTES": "/nowhere",
}
OPERATOR_ENVIRONMENT = {
    **EMPTY_ENVIRONMENT,
    "AWS_ACCESS_KEY_ID": "operator",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_REGION": "us-east-1",
}


OPENAI_SECRET = "Secretopenai123"  # of the stage prod


@dataclass(frozen=True)
class CommandResult:
    """A command's exit code and output."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run_antiphon(
    *arguments: str, stdin: str | None = None, env: Mapping[str, str | None] = OPERATOR_ENVIRONMENT
) -> CommandResult:
    """Runs a command in this process; unexpected errors are raised here."""
    runner = CliRunner(mix_stderr=False)
    done = runner.invoke(main, arguments, input=stdin, env=env, catch_exceptions=False)
    return CommandResult(done.exit_code, done.stdout, done.stderr)


def run_for_json(*arguments: str, **more: Any) -> Any:
    """The JSON output of a command that must succeed."""
    done = run_antiphon(*arguments, "--json", **more)
    assert done.code == 0, done.err
    return done.json


def create_stack(name: str, table: str, **outputs: str) -> None:
    """Creates a stack with a table, and with more outputs."""
    shape = {**table_definition(), "TableName": table}
    resource = {"Type": "AWS::DynamoDB::Table", "Properties": shape}
    values = {"TableName": {"Ref": "Table"}, **outputs}
    log_group = {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": log_group_of(name)}}
    template = {
        "Resources": {"Table": resource, "ApiLogs12345678": log_group},
        "Outputs": {output: {"Value": value} for output, value in values.items()},
    }
    aws_client("cloudformation").create_stack(StackName=name, TemplateBody=json.dumps(template))


def log_group_of(stack: str) -> str:
    """The name of the log group of a stack's API function."""
    return f"{stack}-ApiLogs12345678-abc"


@contextmanager
def operator_account() -> Iterator[None]:
    """An account with two stages; only the first has more outputs than the table."""
    moto_lookups.install()
    with local_aws():
        secrets = aws_client("secretsmanager")
        secret = secrets.create_secret(Name=OPENAI_SECRET, SecretString="replace-me")
        create_stack(
            "Antiphon-prod",
            "table-of-prod",
            FunctionUrl="https://url.example/v1",
            RestUrl="https://rest.example/v1",
            KeyCacheSeconds="30.0",
            TargetNames="openai, azure-east",
            KeySettings='{"models":["gpt-*","o*"],',
            KeySettings2='"tenants":{"capped":{"rpm":9,"budget_usd":2.5}},"policies":["apps"]}',
            TargetSecret1=json.dumps({"openai": secret["ARN"]}),
        )
        create_stack("Antiphon-dev", "table-of-dev")
        yield


def read_rows(table: str) -> list[dict[str, Any]]:
    found: Any = aws_table(table).scan()["Items"]
    return found
