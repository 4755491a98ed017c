"""A deployed stack: its outputs, its resources, and clients with the operator's AWS credentials.

Resources are found by their type and by the id that the CDK derives from a construct's id, never
by name: CloudFormation generates the names of most.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import click
from botocore.config import Config
from botocore.exceptions import ClientError

from infra.constructs.options import stack_name
from infra.operator.aws_errors import error_code

ARN_OUTPUT = "TargetSecret"  # followed by a number
CLIENT_CONFIG = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard"})


@dataclass(frozen=True)
class StackResource:
    type: str  # such as AWS::SQS::Queue
    logical_id: str  # begins with the construct's id, without hyphens
    id: str  # CloudFormation's physical id: a name, an ARN, a URL or a UUID


@dataclass(frozen=True)
class Stack:
    name: str
    status: str
    outputs: Mapping[str, str]
    session: Any  # boto3.Session
    profile: str | None = None

    @property
    def region(self) -> str:
        return str(self.session.region_name)

    def client(self, service: str) -> Any:
        return self.session.client(service, config=CLIENT_CONFIG)

    @cached_property
    def resources(self) -> list[StackResource]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return [
            StackResource(
                each["ResourceType"], each["LogicalResourceId"], each["PhysicalResourceId"]
            )
            for page in pages.paginate(StackName=self.name)
            for each in page["StackResourceSummaries"]
            if each.get("PhysicalResourceId")  # none while it is being created
        ]

    def find_operator(self) -> str:
        """Return the ARN of the operator's AWS identity; AWS requires no permission for that.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
        """
        return str(self.client("sts").get_caller_identity()["Arn"])

    def find(self, type: str, construct_id: str = "") -> list[StackResource]:
        """Return the resources of a type, of the construct with this id."""
        return [
            each
            for each in self.resources
            if each.type == f"AWS::{type}" and each.logical_id.startswith(construct_id)
        ]

    @property
    def secrets(self) -> dict[str, str]:
        """The ARN of each target's secret; each has an output of its own."""
        values = (value for name, value in self.outputs.items() if name.startswith(ARN_OUTPUT))
        return {target: arn for each in map(json.loads, values) for target, arn in each.items()}

    def command(self, text: str) -> str:
        """Return a command of the AWS CLI with the Region and the profile of this stack."""
        return f"aws {text} {self._place}"

    def own_command(self, text: str) -> str:
        """Return a command of `antiphon` for this stack."""
        stage = self.name.removeprefix(stack_name(""))
        return f"antiphon {text} --stage {stage} {self._place}"

    @property
    def _place(self) -> str:
        return f"--region {self.region}" + (f" --profile {self.profile}" if self.profile else "")


def open_stack(stage: str, region: str | None, profile: str | None) -> Stack:
    """Read a stage's stack; raise ClickException, or an exception of botocore."""
    import boto3  # noqa: PLC0415  slow, and only commands for a deployment need it

    # The AWS CLI and the CDK CLI read AWS_REGION; boto3 reads only AWS_DEFAULT_REGION.
    region = region or os.environ.get("AWS_REGION")
    session = boto3.Session(profile_name=profile, region_name=region)
    name = stack_name(stage)
    found = _describe(session.client("cloudformation", config=CLIENT_CONFIG), name)
    outputs = {each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs", ())}
    if "TableName" not in outputs:
        raise click.ClickException(
            f"The stack {name} is {found['StackStatus']} and has no output TableName. "
            "Wait until it is deployed, or deploy it again with `make deploy`."
        )
    return Stack(name, found["StackStatus"], outputs, session, profile)


def _describe(cloudformation: Any, name: str) -> Any:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as exc:
        if error_code(exc) != "ValidationError":
            raise
        raise click.ClickException(
            f"There is no stack {name} in {cloudformation.meta.region_name}. Deploy it with "
            "`make deploy`, or name another with --stage, --region and --profile. "
            "(--local is for the gateway on this machine.)"
        ) from exc
    return stack
