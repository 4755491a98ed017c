"""What goes wrong between an operator and AWS, told in words that say what to do."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import click
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    SSOError,
    TokenRetrievalError,
)

from antiphon.errors import Unavailable

NO_CREDENTIALS = (
    "There are no AWS credentials. Sign in and name your profile with --profile or AWS_PROFILE. "
    "(For the gateway on this machine use --local, which needs none.)"
)
EXPIRED = "Your AWS credentials have expired. Sign in again."
UNKNOWN = (
    "AWS does not take your credentials. Look at --profile, AWS_PROFILE and AWS_ACCESS_KEY_ID."
)
DENIED = "Your AWS credentials are not allowed to do this."
NO_REGION = "There is no AWS Region. Name it with --region, AWS_REGION or in your profile."
NOT_REACHED = "AWS cannot be reached. Look at your network, and at --region."

BY_CODE: Mapping[str, str] = {
    "AccessDenied": DENIED,
    "AccessDeniedException": DENIED,
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "RequestExpired": EXPIRED,
    "InvalidClientTokenId": UNKNOWN,
    "InvalidSignatureException": UNKNOWN,
    "SignatureDoesNotMatch": UNKNOWN,
    "UnrecognizedClientException": UNKNOWN,
    "ResourceNotFoundException": "The table is not there. Is the stack being made or deleted?",
}
BY_KIND: Mapping[type[Exception], str] = {
    NoCredentialsError: NO_CREDENTIALS,
    NoRegionError: NO_REGION,
    PartialCredentialsError: UNKNOWN,
    CredentialRetrievalError: UNKNOWN,
    SSOError: EXPIRED,
    TokenRetrievalError: EXPIRED,
    EndpointConnectionError: NOT_REACHED,
}


@contextmanager
def told() -> Iterator[None]:
    """End the command with 1 and one message where AWS does not do what it asks for."""
    try:
        yield
    except Unavailable as exc:
        raise click.ClickException(_words(exc.__cause__ or exc)) from exc
    except (BotoCoreError, ClientError) as exc:
        raise click.ClickException(_words(exc)) from exc


def code(exc: ClientError) -> str:
    return exc.response.get("Error", {}).get("Code", "")


def _words(exc: BaseException) -> str:
    """Ours first, where we have some; AWS's own name the action, the resource, the profile."""
    if isinstance(exc, ClientError):
        ours, theirs = BY_CODE.get(code(exc)), exc.response.get("Error", {}).get("Message", "")
    else:
        ours, theirs = _of_kind(exc), str(exc)
    return f"{ours}\n{theirs}" if ours else (theirs or type(exc).__name__)


def _of_kind(exc: BaseException) -> str | None:
    return next((words for kind, words in BY_KIND.items() if isinstance(exc, kind)), None)
