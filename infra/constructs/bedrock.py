"""What the functions may do at Amazon Bedrock: call the models that targets name, and no others."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from antiphon.settings.targets import BedrockTarget, Target
from infra.constructs.bedrock_permissions import BedrockPermissions, Permission
from infra.constructs.protection import acknowledge

PATTERN_REASON = "gateway.toml names the models so, or Bedrock has no permission for less."
RETRIEVE = "retrieve"


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
            needed = _permissions(function, target)
            _add(function, needed.of_create())
            _add(function, needed.of_stored(target.serves))
        for function in followers:
            reads = [each for each in target.serves if each == RETRIEVE]
            _add(function, _permissions(function, target).of_stored(reads))


def _permissions(function: lambda_.Function, target: BedrockTarget) -> BedrockPermissions:
    stack = Stack.of(function)
    return BedrockPermissions(target, stack.partition, stack.account)


def _add(function: lambda_.Function, permissions: Iterable[Permission]) -> None:
    for each in permissions:
        function.add_to_role_policy(_statement(each))
        _acknowledge_pattern(function, each.resource)


def _statement(permission: Permission) -> iam.PolicyStatement:
    conditions: Any = None
    if permission.condition is not None:
        operator, key, value = permission.condition
        conditions = {operator: {key: value}}
    return iam.PolicyStatement(
        actions=[*permission.actions], resources=[permission.resource], conditions=conditions
    )


def _acknowledge_pattern(function: lambda_.Function, resource: str) -> None:
    """Acknowledge a resource with `*`, as cdk-nag writes it."""
    found: Any = Stack.of(function).resolve(resource)
    parts = [found] if isinstance(found, str) else found["Fn::Join"][1]
    text = "".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts)
    if "*" in text and text != "*" and function.role is not None:
        acknowledge(function.role, f"IAM5[Resource::{text}]", PATTERN_REASON)
