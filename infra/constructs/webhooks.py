"""The one secret from which the signing secrets of all webhook endpoints are derived."""

from collections.abc import Iterable

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from antiphon.settings.config import Webhooks
from infra.constructs.options import Options
from infra.constructs.protection import acknowledge, removal_policy

SECRET_CHARS = 64


def add_webhooks(
    scope: Construct,
    functions: Iterable[lambda_.Function],
    webhooks: Webhooks | None,
    options: Options,
    key: kms.IKey | None,
) -> None:
    """Create the secret, and let these functions read it, if there may be webhooks."""
    if webhooks is None:
        return
    secret = secretsmanager.Secret(
        scope,
        "WebhookSecret",
        description=f"Signs the webhooks of Antiphon {options.stage}",
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=SECRET_CHARS, exclude_punctuation=True
        ),
        encryption_key=key,
        removal_policy=removal_policy(options),
    )
    acknowledge(secret, "SMG4", "Each endpoint has a secret of its own, which its owner rotates.")
    for function in functions:
        function.add_environment("WEBHOOK_SECRET", secret.secret_arn)
        function.add_to_role_policy(
            iam.PolicyStatement(
                actions=["secretsmanager:GetSecretValue"], resources=[secret.secret_arn]
            )
        )
