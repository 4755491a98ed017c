"""The queue of what has to be done later, and the place for what could not be done."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.doors import Door

TRIES = 10  # to work on a message, until it is a dead letter
WAITS_FOR_RUNS = 6  # of the function that works on it, before it is shown again: AWS's own advice


@dataclass(frozen=True)
class Queues:
    waiting: sqs.Queue
    dead: sqs.Queue


def queues(scope: Construct, doors: Iterable[Door], key: kms.IKey | None) -> Queues:
    minutes = max((door.minutes for door in doors if door.source == "queue"), default=1)
    dead = _queue(scope, "DeadLetters", key)
    waiting = _queue(
        scope,
        "Queue",
        key,
        visibility_timeout=Duration.minutes(WAITS_FOR_RUNS * minutes),
        dead_letter_queue=sqs.DeadLetterQueue(queue=dead, max_receive_count=TRIES),
    )
    return Queues(waiting, dead)


def _queue(scope: Construct, id: str, key: kms.IKey | None, **more: Any) -> sqs.Queue:
    return sqs.Queue(
        scope,
        id,
        encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
        encryption_master_key=key,
        enforce_ssl=True,
        retention_period=Duration.days(14),  # as long as SQS keeps anything
        **more,
    )
