"""The definitions of the saved queries in CloudWatch Logs Insights."""

from collections.abc import Mapping

from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.options import stack_name
from infra.saved_queries import SAVED_QUERIES


def create_queries(scope: Construct, stage: str, functions: Mapping[str, lambda_.Function]) -> None:
    """Save the queries in a folder of the stage's name."""
    for query in SAVED_QUERIES:
        logs.CfnQueryDefinition(
            scope,
            f"Query{query.name.title().replace(' ', '')}",
            name=f"{stack_name(stage)}/{query.name}",
            query_string=query.text,
            log_group_names=[
                function.log_group.log_group_name
                for name, function in functions.items()
                if query.functions is None or name in query.functions
            ],
        )
