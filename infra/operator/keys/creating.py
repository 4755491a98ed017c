"""`antiphon keys create`."""

from typing import Any

import click

from antiphon.settings.config import Limits
from antiphon.store.keyring import IssuedKey, Keyring, KeyTerms
from infra.operator import printing
from infra.operator.deployment import Deployment
from infra.operator.durations import Moment
from infra.operator.keys import telling
from infra.operator.keys.arguments import Models, Name, Tenant, about_keys, flat, limit_options


@click.command()
@click.option("--tenant", type=Tenant(), required=True, help="Whom the key speaks for.")
@click.option("--name", type=Name(), help="What it is for; shown in lists.")
@click.option(
    "--models",
    type=Models(),
    multiple=True,
    help="Models it may call, by name or with one *: --models 'gpt-5*,o3'. May be repeated.  "
    "[default: all]",
)
@click.option(
    "--expires",
    "ends_at",
    type=Moment(),
    help="When it ends: 90d, 12h, 2027-01-31 (as that day begins, in UTC).  [default: never]",
)
@limit_options
@printing.json_option
@about_keys
def create(
    deployment: Deployment,
    keyring: Keyring,
    /,
    *,
    models: tuple[list[str], ...],
    limits: Limits,
    as_json: bool,
    **given: Any,
) -> None:
    """Make a key for a tenant, and show it this once.

    The key alone goes to stdout, so that KEY=$(antiphon keys create --tenant acme) holds it. The
    gateway keeps its SHA-256 and nothing else: a lost key cannot be shown again, but rotated.
    """
    terms = KeyTerms(models=flat(models), limits=limits, **given)
    issued = keyring.create(terms)
    if as_json:
        printing.document(telling.issued(issued, deployment))
    else:
        hand_over(issued, deployment)


def hand_over(issued: IssuedKey, deployment: Deployment) -> None:
    """Show a new key to whoever asked for it."""
    click.echo(issued.secret)
    printing.say("\nThis key is shown once and kept nowhere: store it now.")
    base = [("base URL", address) for address in telling.addresses(deployment).values()]
    printing.facts([*telling.facts(issued.key), *base], stderr=True)
