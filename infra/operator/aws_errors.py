"""Errors between an operator and AWS, as messages that state what to do."""

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
    "There are no AWS credentials. Sign in and name your profile with --profile or AWS_PROFILE, "
    "for example after `aws sso login`, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. "
    "(For the gateway on this machine use --local, which needs none.)"
)
EXPIRED = "Your AWS credentials have expired. Sign in again, for example with `aws sso login`."
INVALID = "AWS rejects your credentials. Check --profile, AWS_PROFILE and AWS_ACCESS_KEY_ID."
DENIED = "Your AWS credentials do not allow this."
NO_REGION = "There is no AWS Region. Name it with --region, AWS_REGION or in your profile."
NOT_REACHED = "AWS cannot be reached. Check your network and --region."

MESSAGES_BY_CODE: Mapping[str, str] = {
    "AccessDenied": DENIED,
    "AccessDeniedException": DENIED,
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "RequestExpired": EXPIRED,
    "InvalidClientTokenId": INVALID,
    "InvalidSignatureException": INVALID,
    "SignatureDoesNotMatch": INVALID,
    "UnrecognizedClientException": INVALID,
    "ResourceNotFoundException": "The table does not exist. Is the stack being created or deleted?",
}
MESSAGES_BY_TYPE: Mapping[type[Exception], str] = {
    NoCredentialsError: NO_CREDENTIALS,
    NoRegionError: NO_REGION,
    PartialCredentialsError: INVALID,
    CredentialRetrievalError: INVALID,
    SSOError: EXPIRED,
    TokenRetrievalError: EXPIRED,
    EndpointConnectionError: NOT_REACHED,
}


@contextmanager
def translate_aws_errors() -> Iterator[None]:
    """Turn an error of AWS or the store into ClickException: one message, exit status 1."""
    try:
        yield
    except Unavailable as exc:
        raise click.ClickException(_build_message(exc.__cause__ or exc)) from exc
    except (BotoCoreError, ClientError) as exc:
        raise click.ClickException(_build_message(exc)) from exc


def error_code(exc: ClientError) -> str:
    return exc.response.get("Error", {}).get("Code", "")


def _build_message(exc: BaseException) -> str:
    """Put our message first; AWS's own message names the action, the resource, the profile."""
    if isinstance(exc, ClientError):
        ours = MESSAGES_BY_CODE.get(error_code(exc))
        theirs = exc.response.get("Error", {}).get("Message", "")
    else:
        ours, theirs = _message_for_type(exc), str(exc)
    return f"{ours}\n{theirs}" if ours else (theirs or type(exc).__name__)


def _message_for_type(exc: BaseException) -> str | None:
    messages = (text for type, text in MESSAGES_BY_TYPE.items() if isinstance(exc, type))
    return next(messages, None)
