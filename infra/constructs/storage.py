"""Where data is stored: the table and the queues, and what else the functions share."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from antiphon.settings.table import INDEXES, PARTITION_KEY, SORT_KEY, TTL
from antiphon.settings.targets import Target
from infra.constructs.credentials import (
    create_secrets,
    create_webhook_secrets,
    identity_audiences,
)
from infra.constructs.function_specs import FunctionSpec
from infra.constructs.options import Options
from infra.constructs.protection import acknowledge, create_key, removal_policy

MAX_RECEIVES = 10  # of a message, before it becomes a dead letter
# Visibility timeout, in multiples of the function's timeout, as AWS recommends:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_FACTOR = 6


@dataclass(frozen=True)
class Queues:
    deferred: sqs.Queue
    dead_letters: sqs.Queue
    lost_changes: sqs.Queue  # where in the stream; not the changes themselves


@dataclass(frozen=True)
class Stores:
    """What the functions share; a function gets access to what its row names."""

    table: dynamodb.ITableV2  # without a stream, no usage is counted
    queues: Queues
    secrets: Mapping[str, secretsmanager.Secret]  # by target
    webhook_secrets: Mapping[str, secretsmanager.Secret]  # for the API alone
    audiences: Sequence[str]  # of web identity tokens
    key: kms.Key | None


def create_stores(
    scope: Construct,
    specs: Iterable[FunctionSpec],
    targets: Mapping[str, Target],
    options: Options,
) -> Stores:
    key = create_key(scope, options) if options.customer_managed_key else None
    return Stores(
        table=_find_table(scope, options) or _create_table(scope, options, key),
        queues=_create_queues(scope, specs, key),
        secrets=create_secrets(scope, targets, options, key),
        webhook_secrets=create_webhook_secrets(scope, targets, options, key),
        audiences=identity_audiences(targets),
        key=key,
    )


def _find_table(scope: Construct, options: Options) -> dynamodb.ITableV2 | None:
    """Return the existing table of the option `table_arn`; the stack only uses it."""
    if options.table_arn is None:
        return None
    return dynamodb.TableV2.from_table_attributes(
        scope,
        "ExistingTable",
        table_arn=options.table_arn,
        table_stream_arn=options.table_stream_arn,
    )


def _create_table(scope: Construct, options: Options, key: kms.IKey | None) -> dynamodb.TableV2:
    """Create a global table, at first with one Region: a plain table could not get a second one.

    See docs/decisions/0031-one-region-serves.md.
    """
    encryption = dynamodb.TableEncryptionV2
    table = dynamodb.TableV2(
        scope,
        "Table",
        partition_key=_string_attribute(PARTITION_KEY),
        sort_key=_string_attribute(SORT_KEY),
        billing=dynamodb.Billing.on_demand(),
        global_secondary_indexes=[_create_index(*index) for index in INDEXES.items()],
        time_to_live_attribute=TTL,
        dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        # Keys owned by AWS encrypt free of charge.
        encryption=encryption.customer_managed_key(key) if key else encryption.dynamo_owned_key(),
        removal_policy=removal_policy(options),
        **_protection(options),
    )
    for region in options.replicas:
        table.add_replica(region=region, **_protection(options))
    return table


def _protection(options: Options) -> Any:
    """Return the settings that each Region has of its own."""
    return {
        "point_in_time_recovery_specification": dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        "deletion_protection": options.keeps_data,
    }


def _create_index(name: str, attributes: tuple[str, str]) -> dynamodb.GlobalSecondaryIndexPropsV2:
    partition, sort = attributes
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=_string_attribute(partition),
        sort_key=_string_attribute(sort),
    )


def _string_attribute(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)


def _create_queues(scope: Construct, specs: Iterable[FunctionSpec], key: kms.IKey | None) -> Queues:
    timeout = max((spec.minutes for spec in specs if spec.source == "queue"), default=1)
    dead_letters = _create_queue(scope, "DeadLetters", key)
    deferred = _create_queue(
        scope,
        "Queue",
        key,
        visibility_timeout=Duration.minutes(VISIBILITY_FACTOR * timeout),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead_letters, max_receive_count=MAX_RECEIVES),
    )
    lost_changes = _create_queue(scope, "LostChanges", key)
    acknowledge(lost_changes, "SQS3", "It has the dead letters of a stream, and no consumer.")
    return Queues(deferred, dead_letters, lost_changes)


def _create_queue(scope: Construct, id: str, key: kms.IKey | None, **options: Any) -> sqs.Queue:
    return sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=Duration.days(14),  # the maximum of SQS
        **options,
    )
