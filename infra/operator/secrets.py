"""`antiphon secrets`: stores the credentials that the gateway sends to its targets."""

from typing import Any

import click
from botocore.exceptions import ClientError

from antiphon.store.keyring import KEY_PREFIX
from antiphon.store.secrets import CREDENTIAL_PATTERN, FRESH_SECONDS, PLACEHOLDER
from infra.local.target_setup import credential_variable
from infra.operator.aws_errors import error_code
from infra.operator.deployment import Deployment, with_deployment
from infra.operator.output import print_message

NOT_ONE_WORD = (
    "is not one word of visible ASCII characters: give the key alone, without JSON, `Bearer` or "
    "the name of a variable"
)
NOT_FOUND = "ResourceNotFoundException"


@click.group()
def secrets() -> None:
    """Store the credentials of the targets in gateway.toml.

    Each target has a secret in AWS Secrets Manager. CloudFormation chooses its name, and these
    commands find it by the name of the target.
    """


@secrets.command()
@click.argument("target")
@with_deployment
def put(deployment: Deployment, *, target: str) -> None:
    """Store the credential of TARGET: its API key, or the client secret of its Entra application.

    It is read from standard input, in a terminal from a prompt without echo. It is no argument,
    because the shell's history contains the command line. The credential before it remains in the
    secret as the version AWSPREVIOUS, which is used while the provider rejects the new one.
    """
    id = _find_secret(deployment, target)
    value = _read_credential(target)
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
        f"The credential of target '{target}' is stored in {deployment.name}. The gateway uses it "
        f"within {FRESH_SECONDS:.0f} seconds."
    )


def _find_secret(deployment: Deployment, target: str) -> str:
    if deployment.name == "local":
        raise click.UsageError(
            "The gateway on this machine takes a credential from the environment that it starts "
            f"in: {credential_variable(target)}."
        )
    deployment.check_target("TARGET", target)
    if target not in deployment.secrets:
        raise click.UsageError(
            f"The target '{target}' of {deployment.name} has no secret and needs none, because it "
            "uses the AWS identity of the functions; or the stack is older than this command."
        )
    return deployment.secrets[target]


def _read_credential(target: str) -> str:
    """Read it from a pipe or the terminal; raise UsageError for what can be no credential."""
    stdin = click.get_text_stream("stdin")
    if stdin.isatty():
        text = str(click.prompt(f"Credential of {target}", hide_input=True, err=True))
    else:
        text = stdin.read()
    value = text.strip()
    _check_credential(value)
    return value


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
