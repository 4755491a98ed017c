"""`antiphon adopt`: gives a tenant an object that was made outside the gateway."""

from typing import Any, get_args

import click

from antiphon.store.adoptions import KIND_BY_PREFIX, AdoptionError, Adoptions
from antiphon.store.keyring import Keyring
from antiphon.store.links import Kind, OperatorKind, ResourceKind
from infra.operator.deployment import Deployment, with_deployment
from infra.operator.output import print_message
from infra.operator.param_types import ProviderIdType, TenantType

type Name = tuple[Kind, str, str]  # kind, tenant, id

# An upload lives for an hour: nobody makes one elsewhere and completes it here.
KINDS: tuple[Kind, ...] = (
    *(kind for kind in get_args(ResourceKind.__value__) if kind != "upload"),
    *get_args(OperatorKind.__value__),
)


@click.command()
@click.argument("tenant", type=TenantType())
@click.argument("id", type=ProviderIdType())
@click.option(
    "--kind",
    "given",
    type=click.Choice(KINDS),
    help="What it is.  [default: by the prefix of ID]",
)
@click.option(
    "--target",
    metavar="NAME",
    help="The target in gateway.toml whose account has it. Required if there are several.",
)
@click.option(
    "--remove",
    is_flag=True,
    help="Take it back. Only the tenant's access ends: nothing is deleted at the provider.",
)
@with_deployment
def adopt(deployment: Deployment, /, *, target: str | None, remove: bool, **options: Any) -> None:
    """Let TENANT use ID, which was made outside the gateway: in a console, by Terraform.

    The gateway refuses every id that it has not seen a tenant create. After this command the
    object is the tenant's own: it may use, read, list, change and delete it. Other tenants get no
    access by this, and none is taken from them: adopt it for each tenant that needs it. To let all
    tenants use and read an object that none of them may change, write a section [shared."ID"] into
    gateway.toml instead.

    The prefix of ID says what it is: file- and assistant- (a file), vs_ (a vector store), cntr_ (a
    container), skill_, batch_, pmpt_ (a prompt), tunnel_. For other ids name it with --kind. That
    the provider has the object is not checked. A prompt gives access to the files and stores that
    it names, too.

    Adopting twice changes nothing.
    """
    name = _resolve_name(**options)
    try:
        if remove:
            _remove(deployment, name)
        else:
            _adopt(deployment, name, deployment.select_target(target))
    except AdoptionError as exc:
        raise click.ClickException(str(exc)) from exc


def _adopt(deployment: Deployment, name: Name, target: str) -> None:
    kind, tenant, id = name
    label = f"{tenant} owns {_label(kind, id)} at target '{target}'"
    if Adoptions(deployment.table).adopt(*name, target):
        print_message(f"{label} from now on.")
    else:
        print_message(f"{label} already: nothing is changed.")
    if next(Keyring(deployment.table).list_keys(tenant), None) is None:
        print_message(
            f"{deployment.name} has no key of tenant {tenant}: check the name, or create one with "
            f"`antiphon keys create --tenant {tenant}`."
        )


def _remove(deployment: Deployment, name: Name) -> None:
    kind, tenant, id = name
    if Adoptions(deployment.table).remove(*name):
        print_message(f"{tenant} has no access to {_label(kind, id)} any more.")
    else:
        print_message(f"{tenant} has not adopted {_label(kind, id)}: nothing is changed.")


def _resolve_name(tenant: str, id: str, given: Kind | None) -> Name:
    """Raise UsageError where neither the prefix nor the option says what it is."""
    found = next((kind for prefix, kind in KIND_BY_PREFIX.items() if id.startswith(prefix)), given)
    if found is None:
        raise click.UsageError(
            f"The prefix of {id} does not say what it is. Name it with --kind: {', '.join(KINDS)}. "
            "(What is inside a container or a vector store comes with it: adopt that.)"
        )
    if given not in {None, found}:
        raise click.UsageError(
            f"--kind {given}: by its prefix {id} is the id of a {found.replace('_', ' ')}."
        )
    return found, tenant, id


def _label(kind: Kind, id: str) -> str:
    return f"{kind.replace('_', ' ')} {id}"
