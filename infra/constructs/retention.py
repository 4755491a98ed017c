"""What is left when a resource leaves the stack, and for how long logs are kept."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.options import Options


def removal(options: Options) -> RemovalPolicy:
    return RemovalPolicy.RETAIN if options.keeps_data else RemovalPolicy.DESTROY


def removal_of_named(options: Options) -> RemovalPolicy:
    """For what has a name of its own: kept too, but not after a first deployment that failed.

    The name would be taken when the deployment is tried again.
    """
    kept = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
    return kept if options.keeps_data else RemovalPolicy.DESTROY


def log_group(scope: Construct, id: str, options: Options, key: kms.IKey | None) -> logs.LogGroup:
    group = logs.LogGroup(scope, id, encryption_key=key, removal_policy=removal(options))
    # The L2 takes the names of the days only; CloudFormation takes the days.
    cast("logs.CfnLogGroup", group.node.default_child).retention_in_days = options.log_days
    return group
