"""`antiphon secrets`: stores the credentials that the gateway sends to its targets."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click
from botocore.exceptions import ClientError

from antiphon.schema.provider_webhook import signing_key
from antiphon.settings.targets import webhook_secret_name
from antiphon.store.keyring import KEY_PREFIX
from antiphon.store.secrets import CREDENTIAL_PATTERN, FRESH_SECONDS, PLACEHOLDER
from infra.local.target_setup import credential_variable, webhook_variable
from infra.operator.aws_errors import error_code
from infra.operator.deployment import Deployment, with_deployment
from infra.operator.output import print_message

NOT_ONE_WORD = (
    "is not one word of visible ASCII characters: give the key alone, without JSON, `Bearer` or "
    "the name of a variable"
)
NOT_FOUND = "ResourceNotFoundException"


@dataclass(frozen=True)
class SecretKind:
    """A kind of secret that a target may have."""

    name: str
    secret: Callable[[str], str]  # its name among the stack's outputs, by target
    variable: Callable[[str], str]  # of the environment, by target
    check: Callable[[str], None]  # raises UsageError for a value that cannot be one
    missing: str  # why a target has none


@click.group()
def secrets() -> None:
    """Store the credentials of the targets in gateway.toml.

    Each target has a secret in AWS Secrets Manager. CloudFormation chooses its name, and these
    commands find it by the name of the target.
    """


@secrets.command()
@click.argument("target")
@click.option(
    "--webhook", is_flag=True, help="Store the secret of the provider's webhooks: whsec_…"
)
@with_deployment
def put(deployment: Deployment, *, target: str, webhook: bool) -> None:
    """Store the credential of TARGET: its API key, or the client secret of its Entra application.

    It is read from standard input, in a terminal from a prompt without echo. It is no argument,
    because the shell's history contains the command line. The credential before it remains in the
    secret as the version AWSPREVIOUS, which is used while the provider rejects the new one.

    With --webhook, store what the provider signs its webhooks with, for a target with
    receives_webhooks in gateway.toml.
    """
    kind = WEBHOOK if webhook else CREDENTIAL
    id = _find_secret(deployment, target, kind)
    value = _read(target, kind)
    try:
        _put(deployment.connect("secretsmanager"), id, value)
    except ClientError as exc:
        if error_code(exc) != NOT_FOUND:
            raise
        raise click.ClickException(
            f"The secret of target '{target}' was deleted for good: {id}. Remove the target from "
            "gateway.toml and `make deploy`; then add it again and `make deploy`."
        ) from exc
    print_message(
        f"The {kind.name} of target '{target}' is stored in {deployment.name}. The gateway uses it "
        f"within {FRESH_SECONDS:.0f} seconds."
    )


def _find_secret(deployment: Deployment, target: str, kind: SecretKind) -> str:
    if deployment.name == "local":
        raise click.UsageError(
            f"The gateway on this machine takes a {kind.name} from the environment that it starts "
            f"in: {kind.variable(target)}."
        )
    deployment.check_target("TARGET", target)
    secret = kind.secret(target)
    if secret not in deployment.secrets:
        raise click.UsageError(
            f"The target '{target}' of {deployment.name} has no {kind.missing}; or the stack is "
            "older than this command."
        )
    return deployment.secrets[secret]


def _read(target: str, kind: SecretKind) -> str:
    """Read it from a pipe or the terminal; raise UsageError for what can be no such secret."""
    stdin = click.get_text_stream("stdin")
    if stdin.isatty():
        text = str(click.prompt(f"{kind.name.capitalize()} of {target}", hide_input=True, err=True))
    else:
        text = stdin.read()
    value = text.strip()
    kind.check(value)
    return value


def _check_webhook_secret(value: str) -> None:
    try:
        signing_key(value)
    except ValueError as exc:
        raise click.UsageError(f"{exc} Nothing is stored.") from exc


def _check_credential(value: str) -> None:
    for is_wrong, message in (
        (not value, "is empty"),
        (value == PLACEHOLDER, "is the placeholder of a new secret"),
        (value.startswith(KEY_PREFIX), "is a key of this gateway, not of a provider"),
        (CREDENTIAL_PATTERN.fullmatch(value) is None, NOT_ONE_WORD),
    ):
        if is_wrong:
            raise click.UsageError(f"The credential {message}. Nothing is stored.")


def _put(client: Any, id: str, value: str) -> None:
    """Make this the current version, also of a secret whose deletion is scheduled."""
    if "DeletedDate" in client.describe_secret(SecretId=id):
        client.restore_secret(SecretId=id)
    client.put_secret_value(SecretId=id, SecretString=value)


CREDENTIAL = SecretKind(
    "credential",
    str,
    credential_variable,
    _check_credential,
    "secret and needs none, because it uses the AWS identity of the functions",
)
WEBHOOK = SecretKind(
    "webhook secret",
    webhook_secret_name,
    webhook_variable,
    _check_webhook_secret,
    "webhook secret, because it is without receives_webhooks in gateway.toml",
)
