"""What the functions share: each gets of it what its row says."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from antiphon.settings.config import Target
from infra.constructs.doors import Door
from infra.constructs.identity import audiences
from infra.constructs.key import customer_key
from infra.constructs.options import Options
from infra.constructs.queue import Queues, queues
from infra.constructs.secrets import credentials
from infra.constructs.table import table


@dataclass(frozen=True)
class Stores:
    table: dynamodb.Table
    queues: Queues
    secrets: Sequence[secretsmanager.Secret]
    audiences: Sequence[str]  # that the functions' own identity is attested to
    key: kms.Key | None


def stores(
    scope: Construct, doors: Iterable[Door], targets: Mapping[str, Target], options: Options
) -> Stores:
    key = customer_key(scope, options) if options.customer_managed_key else None
    return Stores(
        table=table(scope, options, key),
        queues=queues(scope, doors, key),
        secrets=credentials(scope, targets, options, key),
        audiences=audiences(targets),
        key=key,
    )
