"""`antiphon policy`: tries requests against the policies of a gateway.toml; nothing is sent."""

import sys
from pathlib import Path

import click

from antiphon.errors import InvalidRequest
from antiphon.policies.policies import Policies
from antiphon.policies.violations import PolicyBody, Violation, find_violations
from antiphon.schema.create import CreateResponse
from antiphon.settings.config import Config, ConfigError, load_config
from infra.operator.output import json_option, print_json, print_message, print_rows
from infra.operator.param_types import TenantType
from infra.project import CONFIG

COLUMNS = ("path", "rule", "reason")


@click.group()
def policy() -> None:
    """Try requests against the policies of gateway.toml."""


@policy.command()
@click.argument("file", type=click.File("rb"))
@click.option("--tenant", type=TenantType(), help="Whose policy holds as well.")
@click.option("--policy", "name", metavar="NAME", help="The policy of a key, which holds as well.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=CONFIG,
    help="The configuration.  [default: gateway.toml of the project]",
)
@json_option
def check(
    *, file: click.utils.LazyFile, tenant: str | None, name: str | None, config: Path, as_json: bool
) -> None:
    """Print what FILE, the JSON body of a create, violates; - reads standard input.

    The exit status is 1 if it violates anything. Nothing is sent, and no credentials are needed.
    Which targets a policy permits depends on what a request refers to, so that is not checked.
    """
    content: bytes = file.read()
    body = _parse(content)
    policies = Policies.from_config(_load(config, name))
    found: list[Violation] = []
    if policies is not None:
        judged = PolicyBody("create", body.document, len(content))
        found = [*find_violations(judged, policies.select(tenant, name))]
    _report(found, as_json=as_json)
    sys.exit(int(bool(found)))


def _parse(content: bytes) -> CreateResponse:
    """Raise UsageError for what no policy needs to refuse."""
    try:
        return CreateResponse.parse(content)
    except InvalidRequest as exc:
        raise click.UsageError(
            f"The gateway would refuse this body without a policy: {exc}"
        ) from exc


def _load(path: Path, name: str | None) -> Config:
    try:
        config = load_config(path)
    except ConfigError as exc:
        raise click.UsageError(str(exc)) from exc
    if name is not None and name not in config.policies:
        raise click.UsageError(f"--policy: {path.name} has no policy '{name}'.")
    return config


def _report(found: list[Violation], *, as_json: bool) -> None:
    if as_json:
        print_json({"violations": [each._asdict() for each in found]})
    elif found:
        print_rows(COLUMNS, found)
    else:
        print_message("No policy is violated.")
