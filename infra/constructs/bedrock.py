"""What the functions may do at Amazon Bedrock: call the models that targets name, and no others.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-mantle.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from antiphon.settings.targets import BedrockTarget, Target
from infra.constructs.protection import acknowledge

RUNTIME_CREATE = ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
MANTLE_CREATE = ("bedrock-mantle:CreateInference",)
PATTERN_REASON = "gateway.toml names the models so, or Bedrock has no permission for less."
RETRIEVE = "retrieve"
# By endpoint and by what a target serves beyond a create.
STORED: Mapping[str, Mapping[str, str]] = {
    "runtime": {
        "retrieve": "bedrock:GetInvoke",
        "resume": "bedrock:GetInvoke",
        "input_items": "bedrock:GetInvoke",
        "delete": "bedrock:DeleteInvoke",
    },
    "mantle": {
        "retrieve": "bedrock-mantle:GetInference",
        "resume": "bedrock-mantle:GetInference",
        "input_items": "bedrock-mantle:GetInference",
        "delete": "bedrock-mantle:DeleteInference",
        "background": "bedrock-mantle:CancelInference",
    },
}
# An inference profile, which calls a model in one of several Regions: `eu.`, `global.`, …
PROFILE = re.compile(r"(?:[a-z]{2}|apac|global|us-gov)\.(?P<model>.+)")


def allow_bedrock(
    callers: Iterable[lambda_.Function],
    followers: Iterable[lambda_.Function],
    targets: Mapping[str, Target],
) -> None:
    """Allow callers what the targets serve, and followers to read what has been stored."""
    found = [target for target in targets.values() if isinstance(target, BedrockTarget)]
    callers, followers = [*callers], [*followers]
    for target in found:
        for function in callers:
            stack = Stack.of(function)
            _add(function, _create_statements(stack, target), _stored(stack, target, target.serves))
        for function in followers:
            reads = [each for each in target.serves if each == RETRIEVE]
            _add(function, _stored(Stack.of(function), target, reads))


def _add(function: lambda_.Function, *groups: Iterable[iam.PolicyStatement]) -> None:
    for group in groups:
        for statement in group:
            function.add_to_role_policy(statement)
            for resource in statement.resources:
                _acknowledge_pattern(function, resource)


def _acknowledge_pattern(function: lambda_.Function, resource: str) -> None:
    """Acknowledge a resource with `*`, as cdk-nag writes it."""
    found: Any = Stack.of(function).resolve(resource)
    parts = [found] if isinstance(found, str) else found["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
    if "*" in text and text != "*" and function.role is not None:
        acknowledge(function.role, f"IAM5[Resource::{text}]", PATTERN_REASON)


def _create_statements(stack: Stack, target: BedrockTarget) -> Iterator[iam.PolicyStatement]:
    if target.endpoint == "mantle":  # its permissions are those of projects, not of models
        yield iam.PolicyStatement(actions=[*MANTLE_CREATE], resources=[_projects(stack, target)])
        return
    names = target.models.values() if isinstance(target.models, dict) else target.models
    for name in dict.fromkeys(names):
        yield from _model_statements(stack, target.region, name)


def _model_statements(stack: Stack, region: str, name: str) -> Iterator[iam.PolicyStatement]:
    """Yield what calls a model: by itself, or by a profile and then only by that profile."""
    profile = PROFILE.fullmatch(name)
    if profile is None and not name.startswith("arn:"):
        yield _allow_models(_model_arn(stack, region, name))
        return
    arn = name
    if profile is not None:
        arn = stack.format_arn(
            service="bedrock", region=region, resource="inference-profile", resource_name=name
        )
    yield _allow_models(arn)
    model = "*" if profile is None else profile["model"]
    yield _allow_models(
        _model_arn(stack, "*", model), {"ArnLike": {"bedrock:InferenceProfileArn": arn}}
    )


def _stored(
    stack: Stack, target: BedrockTarget, serves: Iterable[str]
) -> Iterator[iam.PolicyStatement]:
    """Yield what reads, cancels and deletes responses that Bedrock stores."""
    actions = sorted({STORED[target.endpoint].get(each, "") for each in serves} - {""})
    if actions and target.endpoint == "mantle":
        yield iam.PolicyStatement(actions=actions, resources=[_projects(stack, target)])
    elif actions:  # AWS documents no resource for them
        yield iam.PolicyStatement(
            actions=actions,
            resources=["*"],
            conditions={"StringEquals": {"aws:RequestedRegion": target.region}},
        )


def _allow_models(
    arn: str, conditions: Mapping[str, Mapping[str, str]] | None = None
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=[*RUNTIME_CREATE], resources=[arn], conditions=conditions and {**conditions}
    )


def _model_arn(stack: Stack, region: str, name: str) -> str:
    return stack.format_arn(
        service="bedrock",
        region=region,
        account="",
        resource="foundation-model",
        resource_name=name,
    )


def _projects(stack: Stack, target: BedrockTarget) -> str:
    return stack.format_arn(
        service="bedrock-mantle", region=target.region, resource="project", resource_name="*"
    )
