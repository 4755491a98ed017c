"""Sums in the stacks that operators' commands are tried on."""

from datetime import UTC, datetime, timedelta

import boto3

from antiphon.store.dynamodb import Table
from antiphon.store.usage import COST_PICODOLLARS, UsageKey, addition_update
from tests.support.gateway import LOCAL_AWS

TODAY = datetime.now(UTC).date()
MICRO = 10**6  # picodollars


def ago(days):
    return (TODAY - timedelta(days)).isoformat()


def used(days=0, micro=0, tenant="acme", model="gpt-5", key="key_1", table="table-of-prod", **more):
    """Have one request counted, so many days ago, for so many millionths of a dollar."""
    place = UsageKey(tenant, ago(days), model, more.pop("target", "openai"), key)
    counts = {"requests": 1, "completed": 1, "input_tokens": 1000, "total_tokens": 1100}
    counts |= {"output_tokens": 100, COST_PICODOLLARS: micro * MICRO, **more}
    adds = {name: number for name, number in counts.items() if number}
    Table(boto3.client("dynamodb", **LOCAL_AWS), table).update(addition_update(place, adds))
