"""The one table, in the shape that antiphon.settings.table tells the store of."""

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from antiphon.settings.table import INDEXES, PARTITION_KEY, SORT_KEY, TTL
from infra.constructs.options import Options
from infra.constructs.retention import removal


def table(scope: Construct, options: Options, key: kms.IKey | None) -> dynamodb.Table:
    # Not TableV2: a global table of one Region brings nothing, and refuses a customer's key in a
    # stack that names no Region, which ours does not, so that it synthesises without an account.
    made = dynamodb.Table(
        scope,
        "Table",
        partition_key=_text(PARTITION_KEY),
        sort_key=_text(SORT_KEY),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        time_to_live_attribute=TTL,
        stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
        point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
            point_in_time_recovery_enabled=True
        ),
        # None is a key of AWS's own: encrypted, free, and never in the way.
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else None,
        encryption_key=key,
        deletion_protection=options.keeps_data,
        removal_policy=removal(options),
    )
    for name, (partition, sort) in INDEXES.items():
        made.add_global_secondary_index(
            index_name=name, partition_key=_text(partition), sort_key=_text(sort)
        )
    return made


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
