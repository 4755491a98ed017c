"""The bus of EventBridge to which the gateway sends its events, which operators choose."""

from collections.abc import Iterable

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from antiphon.settings.config import Events
from antiphon.store.event_bus import SOURCE


def allow_events(functions: Iterable[lambda_.Function], events: Events) -> None:
    """Allow functions to send the gateway's own events to the bus, if there is one."""
    if events.bus is None:
        return
    for function in functions:
        default = Stack.of(function).format_arn(
            service="events", resource="event-bus", resource_name="default"
        )
        statement = iam.PolicyStatement(
            actions=["events:PutEvents"],
            resources=[default if events.bus == "default" else events.bus],
            conditions={"StringEquals": {"events:source": SOURCE}},
        )
        function.add_to_role_policy(statement)
