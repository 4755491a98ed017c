"""`python -m infra.preflight [ARGUMENTS]`: whether AWS can be deployed to, before a build.

ARGUMENTS are those of the CDK CLI. What cannot be found out is left to the CDK: its roles may be
allowed what the operator is not.
"""

import os
from typing import Any

import click
from botocore.exceptions import ClientError, NoRegionError

from infra.constructs.options import PREFIX
from infra.operator.aws_errors import error_code, translate_aws_errors
from infra.operator.stack import CLIENT_CONFIG
from infra.template import read_context

QUALIFIER = "@aws-cdk/core:bootstrapQualifier"
DEFAULT_QUALIFIER = "hnb659fds"
NO_CREDENTIALS = (
    "There are no AWS credentials. Sign in, for example with `aws sso login --profile NAME`, and "
    "export AWS_PROFILE=NAME; or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. "
    "Export AWS_REGION as well if the profile has no Region."
)


@click.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@click.option("--profile")
@click.option("-c", "--context", "changes", multiple=True)
@click.option("--skip-bootstrap", is_flag=True, help="Do not look for what `cdk bootstrap` makes.")
def main(profile: str | None, changes: tuple[str, ...], *, skip_bootstrap: bool) -> None:
    """Exit with 1 and say what to do if there are no credentials, no Region, or no bootstrap."""
    context = read_context(changes)
    with translate_aws_errors():
        session = open_session(profile, context.get(f"{PREFIX}region"))
        session.client("sts", config=CLIENT_CONFIG).get_caller_identity()
        if not skip_bootstrap:
            check_bootstrap(session, context.get(QUALIFIER) or DEFAULT_QUALIFIER)


def open_session(profile: str | None, region: str | None) -> Any:
    """Return a session of boto3; raise an exception of botocore for what it lacks."""
    import boto3  # noqa: PLC0415  slow

    # boto3 reads only AWS_DEFAULT_REGION.
    region = region or os.environ.get("AWS_REGION")
    session = boto3.Session(profile_name=profile, region_name=region)
    if session.get_credentials() is None:
        raise click.ClickException(NO_CREDENTIALS)
    if session.region_name is None:
        raise NoRegionError
    return session


def check_bootstrap(session: Any, qualifier: str) -> None:
    """Raise ClickException if the account was not prepared in this Region."""
    name = f"/cdk-bootstrap/{qualifier}/version"
    try:
        session.client("ssm", config=CLIENT_CONFIG).get_parameter(Name=name)
    except ClientError as exc:
        if error_code(exc) != "ParameterNotFound":
            return  # not allowed, for example
        raise click.ClickException(
            f"The account is not prepared for deployments in {session.region_name}. "
            "Run `make bootstrap` once, then deploy again."
        ) from exc


if __name__ == "__main__":
    main()
