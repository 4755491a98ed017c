"""Which installation a command works on: a stack in AWS, or the gateway on this machine."""

import functools
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Concatenate

import click

from antiphon.store.dynamodb import BatchTable, Table
from infra.constructs.options import PREFIX, Options
from infra.local import instance_file
from infra.local.aws.resources import DUMMY_CREDENTIALS, REGION, secret_name
from infra.operator.aws_errors import translate_aws_errors
from infra.operator.key_settings import KeySettings
from infra.operator.stack import CLIENT_CONFIG, Stack, open_stack
from infra.project import CONFIG, PROJECT
from infra.traffic.sources import CloudWatchLines, LocalLines, OpenSource

API_LOGS = "ApiLogs"  # the id of the construct
LOCAL_OPERATOR = "local"  # in place of an ARN


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What commands need of an installation; base URLs end in /v1, and are None if disabled."""

    table: Table
    batch: BatchTable
    url: str | None
    rest: str | None
    name: str  # of the stack, or "local"
    key_cache_seconds: float | None  # how long a revoked key may be accepted; None if unknown
    targets: tuple[str, ...] | None  # their names; None if unknown
    key_settings: KeySettings | None  # None if unknown
    find_operator: Callable[[], str]  # returns who runs the command
    secrets: Mapping[str, str]  # ARN by target
    connect: Callable[[str], Any]  # creates a client of an AWS service, by its name
    open_requests: OpenSource  # the log lines of requests
    configuration: Path | None  # a gateway.toml with its prices

    def select_target(self, given: str | None) -> str:
        """Return the target that an option names, or the only one; raise UsageError for others."""
        if given is not None:
            self.check_target("--target", given)
            return given
        if self.targets is None or len(self.targets) != 1:
            names = "" if self.targets is None else f" {self.name} has {', '.join(self.targets)}."
            raise click.UsageError(f"Name the target whose account has it with --target.{names}")
        return self.targets[0]

    def check_target(self, option: str, name: str) -> None:
        """Raise UsageError for a target that does not exist; unknown targets pass."""
        if self.targets is not None and name not in self.targets:
            raise click.UsageError(
                f"{option}: {self.name} has no target '{name}'. It has {', '.join(self.targets)}."
            )

    def check_policy(self, option: str, name: str) -> None:
        """Raise UsageError for a policy that does not exist; where they are unknown it passes."""
        policies = None if self.key_settings is None else self.key_settings.policies
        if policies is not None and name not in policies:
            has = f"It has {', '.join(policies)}." if policies else "It has none."
            raise click.UsageError(f"{option}: {self.name} has no policy '{name}'. {has}")


@dataclass(frozen=True, kw_only=True)
class DeploymentOptions:
    """The values of the shared options."""

    stage: str | None
    region: str | None
    profile: str | None
    local: bool
    local_port: int | None


def with_deployment[**P, R](
    command: Callable[Concatenate[Deployment, P], R],
) -> Callable[..., R]:
    """Add the shared options to a click command, and the Deployment as its first argument.

    It must be the innermost decorator. An error of AWS ends the command with exit status 1.
    """

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> R:
        shared = {name: options.pop(name) for name in DeploymentOptions.__dataclass_fields__}
        with translate_aws_errors():
            deployment = find_deployment(DeploymentOptions(**shared))
            return command(deployment, *args, **options)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), run)


def find_deployment(options: DeploymentOptions) -> Deployment:
    """Raise ClickException, or an exception of botocore, if it cannot be found."""
    if not options.local:
        if options.local_port is not None:
            raise click.UsageError("--local-port goes with --local.")
        return _find_stack(options.stage or default_stage(), options.region, options.profile)
    if options.stage or options.region or options.profile:
        raise click.UsageError("--local goes without --stage, --region and --profile.")
    return _find_local(options.local_port)


def default_stage() -> str:
    """Return the stage that `make deploy` deploys: from cdk.json, else the option's default."""
    default: str = Options.model_fields["stage"].default
    try:
        context = json.loads((PROJECT / "cdk.json").read_text("utf-8"))["context"]
    except (OSError, ValueError, KeyError):  # without the project's folder
        return default
    return str(context.get(f"{PREFIX}stage") or default)


def _find_stack(stage: str, region: str | None, profile: str | None) -> Deployment:
    stack = open_stack(stage, region, profile)
    outputs = stack.outputs
    seconds, targets = outputs.get("KeyCacheSeconds"), outputs.get("TargetNames")
    client = stack.client("dynamodb")
    return Deployment(
        table=Table(client, outputs["TableName"]),
        batch=BatchTable(client, outputs["TableName"]),
        url=outputs.get("FunctionUrl"),
        rest=outputs.get("RestUrl"),
        name=stack.name,
        key_cache_seconds=None if seconds is None else float(seconds),
        targets=None if targets is None else tuple(targets.split(", ")),
        key_settings=KeySettings.from_outputs(outputs),
        find_operator=stack.find_operator,
        secrets=stack.secrets,
        connect=stack.client,
        open_requests=lambda since, _: _open_log(stack, since),
        configuration=CONFIG if CONFIG.exists() else None,
    )


def _find_local(port: int | None) -> Deployment:
    import boto3  # noqa: PLC0415  slow, and only commands for a deployment need it

    gateway = _find_running_gateway(port)
    credentials: Any = {name.lower(): value for name, value in DUMMY_CREDENTIALS.items()}
    connect = functools.partial(
        boto3.client,
        config=CLIENT_CONFIG,
        endpoint_url=gateway.aws_endpoint,
        region_name=REGION,
        **credentials,
    )
    client = connect("dynamodb")
    return Deployment(
        table=Table(client, gateway.table),
        batch=BatchTable(client, gateway.table),
        url=gateway.url,
        rest=gateway.rest,
        name="local",
        key_cache_seconds=gateway.key_cache_seconds,
        targets=tuple(gateway.targets),
        key_settings=KeySettings.from_json(gateway.key_settings) if gateway.key_settings else None,
        find_operator=lambda: LOCAL_OPERATOR,
        secrets={target: secret_name(target) for target in gateway.targets},
        connect=connect,
        open_requests=lambda since, follow: LocalLines(gateway.requests_port, since, follow=follow),
        configuration=Path(gateway.configuration),
    )


def _open_log(stack: Stack, since: float) -> CloudWatchLines:
    """Open the log of the API function; raise ClickException where the stack has none."""
    groups = stack.find("Logs::LogGroup", API_LOGS)
    if not groups:
        raise click.ClickException(f"The stack {stack.name} has no log group {API_LOGS}.")
    return CloudWatchLines(stack.client("logs"), groups[0].id, since)


def _find_running_gateway(port: int | None) -> instance_file.Instance:
    known = [
        each
        for each in instance_file.find_instances(instance_file.instance_folder(os.environ))
        if port in (None, each.port)
    ]
    running = [each for each in known if each.is_running]
    if len(running) == 1:
        return running[0]
    if running:
        ports = ", ".join(f"--local-port {each.port}" for each in running)
        raise click.ClickException(f"Several gateways run on this machine. Name one: {ports}.")
    on_port = "" if port is None else f" on port {port}"
    killed = ", ".join(each.url for each in known)
    lost = f" The one at {killed} was killed, and its keys are lost." if killed else ""
    raise click.ClickException(
        f"No gateway runs on this machine{on_port}.{lost} Start it with `antiphon local`."
    )


_OPTIONS = (
    click.option("--stage", help="The deployed stage.  [default: the one in cdk.json]"),
    click.option("--region", help="Its AWS Region.  [default: from your environment or profile]"),
    click.option("--profile", help="A profile of your AWS configuration.  [default: AWS_PROFILE]"),
    click.option(
        "--local", is_flag=True, help="Use the gateway on this machine instead of a stack."
    ),
    click.option(
        "--local-port",
        type=click.IntRange(1, 65535),
        help="With --local, if several gateways run: the port of its Function URL.  "
        "[default: the only one]",
    ),
)
