"""`antiphon keys update`: changes what a key permits; key, id and counters stay the same."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from antiphon.store.key_terms import KeyRevision, KeyTerms
from antiphon.store.keyring import Keyring
from antiphon.store.keys import ApiKey
from infra.operator.deployment import Deployment
from infra.operator.key_options import (
    check_names,
    flatten_models,
    key_argument,
    limit_change_options,
    warn_of_unserved,
    with_keyring,
)
from infra.operator.key_presentation import format_cache_time, key_to_json
from infra.operator.output import json_option, print_json, print_message
from infra.operator.param_types import NONE, FutureTimeType, ModelsType, OrNoneType


@click.command()
@key_argument
@click.option(
    "--models",
    type=ModelsType(),
    multiple=True,
    help="Models it may call, by name or with one *: these replace the old ones. May be repeated; "
    "none allows all.",
)
@click.option(
    "--expires",
    "ends_at",
    type=OrNoneType(FutureTimeType()),
    help="When it expires: 90d, 12h, 2027-01-31 (at the start of that day, UTC).",
)
@limit_change_options
@json_option
@with_keyring
def update(
    deployment: Deployment,
    keyring: Keyring,
    /,
    *,
    key: str,
    limits: Mapping[str, Any],
    as_json: bool,
    **terms: Any,
) -> None:
    """Change the models, the limits or the end of a key.

    What you do not name stays as it is, and `none` removes a limit. The gateway's cache may use
    the old values for a few more seconds; the command prints for how many. Nothing is counted
    again from zero, with one exception: a budget for another period counts in that period.
    """
    revision = KeyRevision(limits, _revise_terms(**terms))
    if not (revision.limits or revision.terms):
        raise click.UsageError("Name what to change, such as --rpm 60 or --budget-usd none.")
    check_names(deployment, limits)
    old, new = keyring.update(key, revision)
    unserved = warn_of_unserved(deployment, revision.terms.get("models") or ())
    changes = KeyTerms.of(old).changes_to(KeyTerms.of(new))
    if as_json:
        document = {**key_to_json(new), "changed": changes, "unserved_models": unserved}
        print_json({**document, "effective_within_seconds": deployment.key_cache_seconds})
    else:
        print_message(_message(new, changes, deployment))


def _revise_terms(
    models: Sequence[Sequence[str]], ends_at: int | str | None
) -> dict[str, tuple[str, ...] | int | None]:
    terms: dict[str, Any] = {}
    if models:
        flat = flatten_models(models)
        terms["models"] = None if flat == (NONE,) else flat
    if ends_at is not None:
        terms["ends_at"] = None if ends_at == NONE else ends_at
    return terms


def _message(key: ApiKey, changes: Sequence[str], deployment: Deployment) -> str:
    label = f"{key.id} of tenant {key.tenant}"
    if not changes:
        return f"{label} has these values already: nothing is changed."
    lines = [f"{label} is changed, effective {format_cache_time(deployment)}:"]
    return "\n".join([*lines, *(f"  {change}" for change in changes)])
