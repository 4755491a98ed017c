"""What a function may do: exact actions on exact resources, as its row says."""

from collections.abc import Iterator, Sequence

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam

from antiphon.settings.table import INDEXES
from infra.constructs.doors import Door, Right
from infra.constructs.identity import may_be_attested
from infra.constructs.key import may_use
from infra.constructs.stores import Stores

READS_QUEUE = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
READS_STREAM = ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator")


def rights(door: Door, stores: Stores) -> Iterator[iam.PolicyStatement]:
    for right in door.rights:
        yield _on_rows(right, stores.table)
    if door.secrets:
        yield from _to_get_in(stores)
    if door.defers:
        yield _allow(["sqs:SendMessage"], stores.queues.waiting.queue_arn)
    if stores.key:
        yield may_use(stores.key)
    yield from _of_source(door, stores)


def _to_get_in(stores: Stores) -> Iterator[iam.PolicyStatement]:
    if stores.secrets:
        named = [secret.secret_arn for secret in stores.secrets]
        yield _allow(["secretsmanager:GetSecretValue"], *named)
    if stores.audiences:
        yield may_be_attested(stores.audiences)


def _of_source(door: Door, stores: Stores) -> Iterator[iam.PolicyStatement]:
    if door.source == "queue":
        yield _allow(READS_QUEUE, stores.queues.waiting.queue_arn)
    if door.source == "stream":
        yield _allow(READS_STREAM, str(stores.table.table_stream_arn))
        yield _allow(["dynamodb:ListStreams"], "*")
        yield _allow(["sqs:SendMessage"], stores.queues.dead.queue_arn)


def _on_rows(right: Right, table: dynamodb.Table) -> iam.PolicyStatement:
    indexes = [f"{table.table_arn}/index/{name}" for name in INDEXES] if right.indexes else []
    return iam.PolicyStatement(
        actions=[f"dynamodb:{action}" for action in right.actions],
        resources=[table.table_arn, *indexes],
        # True where a request names no key at all, as a Scan does: so no row may grant one.
        conditions={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [*right.rows]}},
    )


def _allow(actions: Sequence[str], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(actions=[*actions], resources=[*resources])
