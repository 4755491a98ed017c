"""Sums in the stacks that operators' commands are tried on."""

from datetime import UTC, datetime, timedelta

import boto3

from antiphon.store.spent import COST, Place
from antiphon.store.table import Table
from antiphon.store.usage import addition
from tests.support.gateway import LOCAL_AWS

TODAY = datetime.now(UTC).date()
MICRO = 10**6  # picodollars


def ago(days):
    return (TODAY - timedelta(days)).isoformat()


def used(days=0, micro=0, tenant="acme", model="gpt-5", key="key_1", table="table-of-prod", **more):
    """Have one request counted, so many days ago, for so many millionths of a dollar."""
    place = Place(tenant, ago(days), model, more.pop("target", "openai"), key)
    counts = {"requests": 1, "completed": 1, "input_tokens": 1000, "total_tokens": 1100}
    counts |= {"output_tokens": 100, COST: micro * MICRO, **more}
    adds = {name: number for name, number in counts.items() if number}
    Table(boto3.client("dynamodb", **LOCAL_AWS), table).update(addition(place, adds))
