"""What calls a function that no HTTP request calls: the queue, or the table's stream.

The plain mappings of CloudFormation: CDK's event sources would grant more than they need.
"""

from aws_cdk import aws_lambda as lambda_

from infra.constructs.doors import Door
from infra.constructs.stores import Stores

TRIES = 10  # of a batch of the table's changes, halved each time, until it is a dead letter
SECONDS_TO_GATHER_CHANGES = 5
# Rows that are derived from links are written by the function that this would call.
OF_LINKS = '{"dynamodb": {"Keys": {"sk": {"S": ["LINK"]}}}}'
FAILED_ONES_ALONE = ["ReportBatchItemFailures"]  # come again, not their whole batch

Mapping = lambda_.CfnEventSourceMapping


def trigger(function: lambda_.Function, door: Door, stores: Stores) -> None:
    if door.source == "queue":
        Mapping(
            function,
            "Queue",
            function_name=function.function_name,
            event_source_arn=stores.queues.waiting.queue_arn,
            function_response_types=FAILED_ONES_ALONE,
        )
    if door.source == "stream":
        _changes(function, stores)


def _changes(function: lambda_.Function, stores: Stores) -> None:
    dead = Mapping.OnFailureProperty(destination=stores.queues.dead.queue_arn)
    Mapping(
        function,
        "Changes",
        function_name=function.function_name,
        event_source_arn=stores.table.table_stream_arn,
        starting_position="TRIM_HORIZON",  # none is missed when the function is new
        maximum_batching_window_in_seconds=SECONDS_TO_GATHER_CHANGES,
        maximum_retry_attempts=TRIES,
        bisect_batch_on_function_error=True,
        filter_criteria=Mapping.FilterCriteriaProperty(
            filters=[Mapping.FilterProperty(pattern=OF_LINKS)]
        ),
        destination_config=Mapping.DestinationConfigProperty(on_failure=dead),
        function_response_types=FAILED_ONES_ALONE,
    )
