"""One secret for each target of gateway.toml that has a credential: where it is put."""

from collections.abc import Mapping

from aws_cdk import SecretValue
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from antiphon.settings.config import Target
from antiphon.store.secrets import PLACEHOLDER
from infra.constructs.findings import acknowledge
from infra.constructs.identity import with_secret
from infra.constructs.options import Options
from infra.constructs.retention import removal_of_named


def prefix(options: Options) -> str:
    return f"antiphon/{options.stage}"


def names(targets: Mapping[str, Target], options: Options) -> list[str]:
    return [f"{prefix(options)}/{target}" for target in with_secret(targets)]


def credentials(
    scope: Construct, targets: Mapping[str, Target], options: Options, key: kms.IKey | None
) -> list[secretsmanager.Secret]:
    return [_credential(scope, name, options, key) for name in names(targets, options)]


def _credential(
    scope: Construct, name: str, options: Options, key: kms.IKey | None
) -> secretsmanager.Secret:
    target = name.rpartition("/")[2]
    secret = secretsmanager.Secret(
        scope,
        f"Secret-{target}",
        secret_name=name,
        description=f"Credential of Antiphon's target {target}, as plain text",
        # No later deployment writes it again over what you put in its place.
        secret_string_value=SecretValue.unsafe_plain_text(PLACEHOLDER),
        encryption_key=key,
        removal_policy=removal_of_named(options),
    )
    acknowledge(secret, "SMG4", "A provider's key is renewed at the provider, not by a function.")
    return secret
