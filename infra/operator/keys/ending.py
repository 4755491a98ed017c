"""`antiphon keys revoke` and `antiphon keys rotate`."""

from typing import Any

import click

from antiphon.store.keyring import Keyring
from antiphon.store.keys import ApiKey
from infra.operator import printing
from infra.operator.deployment import Deployment
from infra.operator.durations import UNITS, Duration, Moment
from infra.operator.keys import telling
from infra.operator.keys.arguments import about_keys, named_key
from infra.operator.keys.creating import hand_over

A_DAY = UNITS["d"]


@click.command()
@named_key
@printing.json_option
@about_keys
def revoke(deployment: Deployment, keyring: Keyring, *, key: str, as_json: bool) -> None:
    """Refuse a key from now on, for ever.

    The gateway may remember it for a few seconds more, and says for how many; what has begun by
    then goes on to its end. To revoke it again changes nothing.
    """
    revoked, new = keyring.revoke(key)
    if as_json:
        document = {**telling.document(revoked), "already_revoked": not new}
        printing.document({**document, "refused_within_seconds": deployment.key_cache_seconds})
        return
    who = f"{revoked.id} of tenant {revoked.tenant}"
    if new:
        printing.say(f"{who} is revoked: it is refused {telling.soon(deployment)}.")
    else:
        printing.say(f"{who} was revoked already, {printing.when(revoked.revoked_at)}.")


@click.command()
@named_key
@click.option(
    "--overlap",
    type=Duration(),
    default=A_DAY,
    show_default="24h",
    help="How long the old key goes on: 30m, 24h, 7d; 0 ends it now.",
)
@click.option(
    "--expires",
    "ends_at",
    type=Moment(),
    help="When the new key ends.  [default: when the old one was to]",
)
@printing.json_option
@about_keys
def rotate(
    deployment: Deployment, keyring: Keyring, /, *, key: str, as_json: bool, **given: Any
) -> None:
    """Make a new key on the same terms as another, which ends after a while.

    Tenant, name, models and limits stay; both keys work until the overlap is over. The new key
    goes to stdout, as with `create`.
    """
    issued, old = keyring.rotate(key, **given)
    if as_json:
        replaces = {"replaces": telling.document(old)}
        printing.document({**telling.issued(issued, deployment), **replaces})
        return
    hand_over(issued, deployment)
    printing.say(_farewell(old, deployment))


def _farewell(old: ApiKey, deployment: Deployment) -> str:
    if old.revoked_at is not None:
        return f"The old key {old.id} is refused {telling.soon(deployment)}."
    return f"The old key {old.id} works until {printing.when(old.ends_at)}."
