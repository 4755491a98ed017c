"""Targets that know the functions by their AWS identity: what attesting it takes."""

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import aws_iam as iam

from antiphon.settings.config import AzureTarget, Entra, Target
from antiphon.store.web_identity import ALGORITHM, TOKEN_SECONDS

AUDIENCE = "sts:IdentityTokenAudience"


def by_identity(target: Target) -> Entra | None:
    """Whom such a target trusts; None for a target with a secret of its own."""
    entra = target.entra if isinstance(target, AzureTarget) else None
    return entra if entra is not None and entra.identity == "aws" else None


def audiences(targets: Mapping[str, Target]) -> list[str]:
    return sorted({entra.audience for entra in map(by_identity, targets.values()) if entra})


def with_secret(targets: Mapping[str, Target]) -> list[str]:
    return [name for name, target in targets.items() if by_identity(target) is None]


def may_be_attested(to: Sequence[str]) -> iam.PolicyStatement:
    """The token that STS signs is no resource: it is held by its audience, life and algorithm."""
    return iam.PolicyStatement(
        actions=["sts:GetWebIdentityToken"],
        resources=["*"],
        conditions={
            "ForAllValues:StringEquals": {AUDIENCE: [*to]},
            "Null": {AUDIENCE: "false"},  # for all of none is true
            "StringEquals": {"sts:SigningAlgorithm": ALGORITHM},
            "NumericLessThanEquals": {"sts:DurationSeconds": TOKEN_SECONDS},
        },
    )


def role_arns(roles: Iterable[iam.IRole | None]) -> str:
    """The subjects of those tokens."""
    return ", ".join(role.role_arn for role in roles if role)
