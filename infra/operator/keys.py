"""`antiphon keys`: creates, lists, shows, changes, revokes and rotates API keys."""

from typing import Any

import click

from antiphon.settings.config import Limits
from antiphon.store.key_terms import KeyTerms
from antiphon.store.keyring import IssuedKey, Keyring
from antiphon.store.keys import ApiKey
from infra.example_models import EXAMPLE_PATTERN
from infra.operator.deployment import Deployment
from infra.operator.key_limits import limit_report, print_limits
from infra.operator.key_options import (
    check_names,
    flatten_models,
    key_argument,
    limit_options,
    warn_of_unserved,
    with_keyring,
)
from infra.operator.key_presentation import (
    COLUMNS,
    HEADING,
    base_urls,
    format_cache_time,
    key_status,
    key_to_facts,
    key_to_json,
    key_to_row,
    new_key_to_json,
    print_changes,
    tenant_limits_to_json,
)
from infra.operator.key_update import update
from infra.operator.output import (
    format_time,
    json_option,
    print_facts,
    print_json,
    print_message,
    print_rows_or_blocks,
)
from infra.operator.param_types import (
    UNITS,
    DurationType,
    FutureTimeType,
    KeyNameType,
    ModelsType,
    TenantType,
)


@click.group()
def keys() -> None:
    """Manage the API keys that apps send to the gateway.

    Every command works on a deployed stack with your own AWS credentials, or with --local on the
    gateway that runs on this machine. KEY is the id of a key (key_…), the beginning of an id that
    no other key has, or the key itself; pass the key itself as - on standard input, because the
    shell's history contains the command line.
    """


@keys.command()
@click.option("--tenant", type=TenantType(), required=True, help="The tenant of the key.")
@click.option("--name", type=KeyNameType(), help="A name for people; lists contain it.")
@click.option(
    "--models",
    type=ModelsType(),
    multiple=True,
    help=f"Models it may call, by name or with one *: --models '{EXAMPLE_PATTERN},gpt-4.1'. May be "
    "repeated.  "
    "[default: all]",
)
@click.option(
    "--expires",
    "ends_at",
    type=FutureTimeType(),
    help="When it expires: 90d, 12h, 2027-01-31 (at the start of that day, UTC).  [default: never]",
)
@limit_options
@json_option
@with_keyring
def create(
    deployment: Deployment,
    keyring: Keyring,
    /,
    *,
    models: tuple[list[str], ...],
    limits: Limits,
    as_json: bool,
    **terms: Any,
) -> None:
    """Create a key for a tenant and print it once.

    Only the key goes to stdout, so KEY=$(antiphon keys create --tenant acme) contains it. The
    gateway stores its SHA-256 only: a lost key cannot be printed again, but it can be rotated.
    """
    check_names(deployment, limits.model_dump())
    issued = keyring.create(KeyTerms(models=flatten_models(models), limits=limits, **terms))
    unserved = warn_of_unserved(deployment, issued.key.models or ())
    if as_json:
        print_json({**new_key_to_json(issued, deployment), "unserved_models": unserved})
    else:
        _print_new_key(issued, deployment)


@keys.command("list")
@click.option("--tenant", type=TenantType(), help="Only the keys of this tenant.  [default: all]")
@click.option("--all", "include_ended", is_flag=True, help="Revoked and expired keys, too.")
@json_option
@with_keyring
def list_keys(
    deployment: Deployment,
    keyring: Keyring,
    *,
    tenant: str | None,
    include_ended: bool,
    as_json: bool,
) -> None:
    """List keys, by tenant and age, without the keys themselves.

    The column "limits" says where limits come from: "key" from the key itself, "tenant" from the
    section [tenants.NAME] of gateway.toml, which all keys of the tenant share; "none" if there are
    none. `show` says what is used of them.
    """
    found = [*keyring.list_keys(tenant)]
    listed = [key for key in found if include_ended or key_status(key) == "active"]
    hidden = len(found) - len(listed)
    settings = deployment.key_settings
    if as_json:
        data = [{**key_to_json(key), **tenant_limits_to_json(key, settings)} for key in listed]
        print_json({"data": data, "hidden": hidden})
        return
    if listed:
        rows = [key_to_row(key, settings) for key in listed]
        print_rows_or_blocks(COLUMNS, rows, heading=HEADING)
    else:
        print_message(
            f"{deployment.name} has no such keys. Create one with `antiphon keys create`."
        )
    if hidden:
        print_message(f"{hidden} revoked or expired keys are not listed: --all lists them.")


@keys.command()
@key_argument
@json_option
@with_keyring
def show(deployment: Deployment, keyring: Keyring, *, key: str, as_json: bool) -> None:
    """Print what a key permits, what is used of its limits, and who changed it when.

    The limits of its tenant are included: both have to leave room for a request. What is used
    includes what is reserved for responses that have not ended.
    """
    found = keyring.find(key)
    settings = deployment.key_settings
    report = limit_report(found, deployment)
    if as_json:
        used = None if report is None else [use.to_json() for use in report]
        print_json({**key_to_json(found), **tenant_limits_to_json(found, settings), "usage": used})
        return
    facts = dict(key_to_facts(found, settings))
    if report:  # a table in place of one long line
        del facts["limits"]
    print_facts({"deployment": deployment.name, **facts}.items())
    print_limits(report)
    print_changes(found)


@keys.command()
@key_argument
@json_option
@with_keyring
def revoke(deployment: Deployment, keyring: Keyring, *, key: str, as_json: bool) -> None:
    """Revoke a key permanently.

    The gateway's cache may accept it for a few more seconds; the command prints for how many.
    Requests that have begun by then continue to their end. Revoking a key twice changes nothing.
    """
    revoked, is_new = keyring.revoke(key)
    if as_json:
        document = {**key_to_json(revoked), "already_revoked": not is_new}
        print_json({**document, "refused_within_seconds": deployment.key_cache_seconds})
        return
    label = f"{revoked.id} of tenant {revoked.tenant}"
    if is_new:
        print_message(f"{label} is revoked: it is refused {format_cache_time(deployment)}.")
    else:
        print_message(f"{label} was revoked already, {format_time(revoked.revoked_at)}.")


@keys.command()
@key_argument
@click.option(
    "--overlap",
    type=DurationType(),
    default=UNITS["d"],
    help="How long the old key remains valid: 30m, 24h, 7d; 0 ends it now.  [default: 24h]",
)
@click.option(
    "--expires",
    "ends_at",
    type=FutureTimeType(),
    help="When the new key expires.  [default: when the old one would have expired]",
)
@json_option
@with_keyring
def rotate(
    deployment: Deployment, keyring: Keyring, /, *, key: str, as_json: bool, **options: Any
) -> None:
    """Replace a key by a new one; the old key expires after the overlap.

    Tenant, name, models and limits stay the same, and both keys work during the overlap. The new
    key goes to stdout, as with `create`.
    """
    issued, old = keyring.rotate(key, **options)
    if as_json:
        document = new_key_to_json(issued, deployment)
        print_json({**document, "replaces": key_to_json(old)})
        return
    _print_new_key(issued, deployment)
    print_message(_old_key_message(old, deployment))


keys.add_command(update)


def _print_new_key(issued: IssuedKey, deployment: Deployment) -> None:
    click.echo(issued.secret)
    print_message("\nThis key is displayed once and stored nowhere: store it now.")
    urls = [("base URL", url) for url in base_urls(deployment).values()]
    print_facts([*key_to_facts(issued.key, deployment.key_settings), *urls], stderr=True)


def _old_key_message(old: ApiKey, deployment: Deployment) -> str:
    if old.revoked_at is not None:
        return f"The old key {old.id} is refused {format_cache_time(deployment)}."
    return f"The old key {old.id} works until {format_time(old.ends_at)}."
