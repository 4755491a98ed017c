"""Which installation a command is about: a stack in AWS, or the gateway that runs here now."""

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate

import click
from botocore.config import Config

from antiphon.store.dynamodb import BatchTable, Table
from infra.constructs.options import stack_name
from infra.local.things import ANYBODY, REGION
from infra.operator import failures, here, stack

PATIENCE = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard"})


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What commands need of it; base URLs end in /v1, and a door that is off has none."""

    table: Table
    batch: BatchTable
    url: str | None
    rest: str | None
    name: str  # of the stack, or "local"
    key_cache_seconds: float | None  # that a revoked key may live on; None where it is not told


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What the shared options say."""

    stage: str | None
    region: str | None
    profile: str | None
    local: bool
    local_port: int | None


def about_deployment[**P, R](
    command: Callable[Concatenate[Deployment, P], R],
) -> Callable[..., R]:
    """Give a click command the shared options, and the Deployment as its first argument.

    Stands next to the function, below its other options. What AWS refuses ends the command with 1.
    """

    @functools.wraps(command)
    def run(*args: Any, **given: Any) -> R:
        chosen = {name: given.pop(name) for name in Choice.__dataclass_fields__}
        with failures.told():
            return command(find(Choice(**chosen)), *args, **given)

    return functools.reduce(lambda made, option: option(made), reversed(_OPTIONS), run)


def find(choice: Choice) -> Deployment:
    """Raise ClickException or an exception of botocore's where it is not to be found."""
    if not choice.local:
        if choice.local_port is not None:
            raise click.UsageError("--local-port goes with --local.")
        return _deployed(choice.stage or stack.default_stage(), choice.region, choice.profile)
    if choice.stage or choice.region or choice.profile:
        raise click.UsageError("--local goes without --stage, --region and --profile.")
    return _local(choice.local_port)


def _deployed(stage: str, region: str | None, profile: str | None) -> Deployment:
    import boto3  # noqa: PLC0415  only commands about a deployment wait for it

    # As the AWS and the CDK command lines do, and unlike boto3 itself, which knows only the longer.
    region = region or os.environ.get("AWS_REGION")
    session = boto3.Session(profile_name=profile, region_name=region)
    name = stack_name(stage)
    outputs = stack.outputs(session.client("cloudformation", config=PATIENCE), name)
    seconds = outputs.get("KeyCacheSeconds")
    return Deployment(
        **_stores(session.client("dynamodb", config=PATIENCE), outputs["TableName"]),
        url=outputs.get("FunctionUrl"),
        rest=outputs.get("RestUrl"),
        name=name,
        key_cache_seconds=None if seconds is None else float(seconds),
    )


def _local(port: int | None) -> Deployment:
    import boto3  # noqa: PLC0415  as above

    found = here.running(port)
    anybody: Any = {name.lower(): value for name, value in ANYBODY.items()}
    client = boto3.client(
        "dynamodb",
        config=PATIENCE,
        endpoint_url=found.aws_endpoint,
        region_name=REGION,
        **anybody,
    )
    return Deployment(
        **_stores(client, found.table),
        url=found.url,
        rest=found.rest,
        name="local",
        key_cache_seconds=found.key_cache_seconds,
    )


def _stores(client: Any, table: str) -> dict[str, Any]:
    return {"table": Table(client, table), "batch": BatchTable(client, table)}


_OPTIONS = (
    click.option(
        "--stage",
        help="The stage that was deployed.  [default: that of cdk.json]",
    ),
    click.option(
        "--region", help="Its AWS Region.  [default: that of your environment or profile]"
    ),
    click.option("--profile", help="A profile of your AWS configuration."),
    click.option(
        "--local", is_flag=True, help="The gateway that runs on this machine, instead of a stack."
    ),
    click.option(
        "--local-port",
        type=click.IntRange(1, 65535),
        help="With --local, where several run: the port of its Function URL.",
    ),
)
