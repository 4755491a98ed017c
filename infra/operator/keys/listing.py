"""`antiphon keys list` and `antiphon keys show`."""

import click

from antiphon.store.keyring import Keyring
from infra.operator import printing
from infra.operator.deployment import Deployment
from infra.operator.keys import telling
from infra.operator.keys.arguments import Tenant, about_keys, named_key


@click.command("list")
@click.option("--tenant", type=Tenant(), help="Those of one tenant.")
@click.option("--all", "every", is_flag=True, help="Revoked and expired ones, too.")
@printing.json_option
@about_keys
def list_keys(
    deployment: Deployment, keyring: Keyring, *, tenant: str | None, every: bool, as_json: bool
) -> None:
    """List keys, by tenant and age. The keys themselves are not known to anyone."""
    found = [*keyring.list_keys(tenant)]
    shown = [key for key in found if every or telling.status(key) == "active"]
    hidden = len(found) - len(shown)
    if as_json:
        printing.document({"data": [telling.document(key) for key in shown], "hidden": hidden})
        return
    if shown:
        printing.table(telling.COLUMNS, map(telling.row, shown))
    else:
        printing.say(f"{deployment.name} has no such keys. Make one with `antiphon keys create`.")
    if hidden:
        printing.say(f"{hidden} revoked or expired, not shown: --all shows them.")


@click.command()
@named_key
@printing.json_option
@about_keys
def show(deployment: Deployment, keyring: Keyring, *, key: str, as_json: bool) -> None:
    """Show what is on record of a key."""
    found = keyring.find(key)
    if as_json:
        printing.document(telling.document(found))
    else:
        printing.facts([("deployment", deployment.name), *telling.facts(found)])
