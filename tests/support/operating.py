"""The commands of operators, as they are typed, against stacks of a moto's in this process."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from click.testing import CliRunner
from moto import mock_aws

from infra.cli import main
from infra.local.aws import _shape
from tests.support.gateway import LOCAL_AWS

# Nothing of the developer's own AWS, and no search for any.
NOBODY = dict.fromkeys(
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
EMPTY = {
    **NOBODY,
    "AWS_CONFIG_FILE": "/nowhere",
    "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "1",
    "ANTIPHON_LOCAL_NOTES": "/nowhere",
}
OPERATOR = {
    **EMPTY,
    "AWS_ACCESS_KEY_ID": "operator",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_REGION": "us-east-1",
}


@dataclass(frozen=True)
class Said:
    """How a command ended, and what it wrote where."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def antiphon(
    *arguments: str, stdin: str | None = None, env: Mapping[str, str | None] = OPERATOR
) -> Said:
    """Run a command in this process; what it does not expect is raised here."""
    runner = CliRunner(mix_stderr=False)
    done = runner.invoke(main, arguments, input=stdin, env=env, catch_exceptions=False)
    return Said(done.exit_code, done.stdout, done.stderr)


def made(*arguments: str, **more: Any) -> Any:
    """What a command that must go well writes as JSON."""
    done = antiphon(*arguments, "--json", **more)
    assert done.code == 0, done.err
    return done.json


def stand(name: str, table: str, **outputs: str) -> None:
    """Let a stack stand that tells of a table, and of whatever else."""
    shape = {**_shape(), "TableName": table}
    resource = {"Type": "AWS::DynamoDB::Table", "Properties": shape}
    told = {"TableName": {"Ref": "Table"}, **outputs}
    template = {
        "Resources": {"Table": resource},
        "Outputs": {output: {"Value": value} for output, value in told.items()},
    }
    boto3.client("cloudformation", **LOCAL_AWS).create_stack(
        StackName=name, TemplateBody=json.dumps(template)
    )


@contextmanager
def account() -> Iterator[None]:
    """An account with two stages, of which only the first has doors and tells of its cache."""
    with mock_aws():
        stand(
            "Antiphon-prod",
            "table-of-prod",
            FunctionUrl="https://url.example/v1",
            RestUrl="https://rest.example/v1",
            KeyCacheSeconds="30.0",
        )
        stand("Antiphon-dev", "table-of-dev")
        yield


def rows(table: str) -> list[dict[str, Any]]:
    found: Any = boto3.resource("dynamodb", **LOCAL_AWS).Table(table).scan()["Items"]
    return found
