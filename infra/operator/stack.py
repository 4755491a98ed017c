"""The stack that a command is about, and what it tells of itself."""

import json
from typing import Any

import click
from botocore.exceptions import ClientError

from infra.constructs.options import PREFIX, Options
from infra.local.helper import ROOT
from infra.operator import failures


def default_stage() -> str:
    """The stage that `make deploy` deploys: of cdk.json, else the stack's own default."""
    own: str = Options.model_fields["stage"].default
    try:
        context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    except (OSError, ValueError, KeyError):  # not in the project's folder
        return own
    return str(context.get(f"{PREFIX}stage") or own)


def outputs(cloudformation: Any, name: str) -> dict[str, str]:
    try:
        (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as exc:
        if failures.code(exc) != "ValidationError":
            raise
        raise click.ClickException(
            f"There is no stack {name} in {cloudformation.meta.region_name}. Deploy it with "
            "`make deploy`, or name another with --stage, --region and --profile. "
            "(--local is for the gateway on this machine.)"
        ) from exc
    told = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}
    if "TableName" not in told:
        raise click.ClickException(
            f"The stack {name} is {found['StackStatus']} and tells of no table. "
            "Wait until it is deployed, or deploy it again with `make deploy`."
        )
    return told
