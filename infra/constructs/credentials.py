"""Credentials of the targets: a secret each, or the function's AWS identity."""

from collections.abc import Iterable, Mapping, Sequence

from aws_cdk import SecretValue, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from antiphon.settings.config import ConfigError, GuardrailSection, Telemetry
from antiphon.settings.targets import AzureTarget, OpenAITarget, Target, webhook_secret_name
from antiphon.store.secrets import PLACEHOLDER
from antiphon.store.web_identity import ALGORITHM, TOKEN_SECONDS
from infra.constructs.options import Options
from infra.constructs.protection import acknowledge, removal_policy

AUDIENCE = "sts:IdentityTokenAudience"
ARN_CHARS = 110  # at most, of an ARN in JSON, without the target's name, which is in it twice
MAX_ARNS_CHARS = 3_072


def create_secrets(
    scope: Construct, targets: Mapping[str, Target], options: Options, key: kms.IKey | None
) -> dict[str, secretsmanager.Secret]:
    """Create a secret for each target that needs one; raise ConfigError for too many."""
    names = [name for name, target in targets.items() if target.has_secret]
    _check_size([*names, *map(webhook_secret_name, _with_webhooks(targets))])
    return {
        name: _create_secret(scope, f"Secret-{name}", f"Credential of target {name}", options, key)
        for name in names
    }


def create_webhook_secrets(
    scope: Construct, targets: Mapping[str, Target], options: Options, key: kms.IKey | None
) -> dict[str, secretsmanager.Secret]:
    """Create a secret for each target whose provider sends webhooks, by the secret's name."""
    return {
        webhook_secret_name(name): _create_secret(
            scope, f"WebhookSecret-{name}", f"Webhook secret of target {name}", options, key
        )
        for name in _with_webhooks(targets)
    }


def secret_arns(scope: Construct, secrets: Mapping[str, secretsmanager.Secret]) -> str:
    """Return the ARN of each target's secret, as JSON."""
    return Stack.of(scope).to_json_string({name: s.secret_arn for name, s in secrets.items()})


def identity_audiences(targets: Mapping[str, Target]) -> list[str]:
    """Return the audiences of the web identity tokens that the targets accept."""
    audiences = (target.identity_audience for target in targets.values())
    return sorted({audience for audience in audiences if audience})


def allow_web_identity(audiences: Sequence[str]) -> iam.PolicyStatement:
    """Allow STS tokens for these audiences only; a token is not a resource with an ARN.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
    """
    return iam.PolicyStatement(
        actions=["sts:GetWebIdentityToken"],
        resources=["*"],
        conditions={
            "ForAllValues:StringEquals": {AUDIENCE: [*audiences]},
            "Null": {AUDIENCE: "false"},  # ForAllValues is true for an empty list
            "StringEquals": {"sts:SigningAlgorithm": ALGORITHM},
            "NumericLessThanEquals": {"sts:DurationSeconds": TOKEN_SECONDS},
        },
    )


def allow_telemetry_secret(function: lambda_.Function, telemetry: Telemetry) -> None:
    """Allow a function to read the collector's headers; operators make that secret themselves."""
    if telemetry.headers_secret is not None:
        statement = iam.PolicyStatement(
            actions=["secretsmanager:GetSecretValue"], resources=[telemetry.headers_secret]
        )
        function.add_to_role_policy(statement)


def add_webhook_secrets(
    function: lambda_.Function,
    secrets: Mapping[str, secretsmanager.Secret],
    webhook_secrets: Mapping[str, secretsmanager.Secret],
) -> None:
    """Let a function read the secrets of webhooks, too, if there are any."""
    if webhook_secrets:
        arns = [secret.secret_arn for secret in webhook_secrets.values()]
        statement = iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=arns)
        function.add_to_role_policy(statement)
        all_arns = secret_arns(function, {**secrets, **webhook_secrets})
        function.add_environment("TARGET_SECRETS", all_arns)


def allow_guardrail(function: lambda_.Function, guardrail: GuardrailSection) -> None:
    """Allow a function to call the guardrail that is configured, and no other."""
    if guardrail.function is not None:
        actions, resource = ["lambda:InvokeFunction"], guardrail.function
    elif guardrail.bedrock is not None:
        id, _, _ = guardrail.bedrock.partition(":")
        arn = Stack.of(function).format_arn(
            service="bedrock", resource="guardrail", resource_name=id
        )
        actions, resource = ["bedrock:ApplyGuardrail"], arn
    else:
        return
    function.add_to_role_policy(iam.PolicyStatement(actions=actions, resources=[resource]))


def subject_outputs(
    targets: Mapping[str, Target], roles: Iterable[iam.IRole | None]
) -> dict[str, str]:
    """Return the outputs that say what is to be registered where targets trust the AWS identity.

    The issuer is no output: AWS gives it to an account that enables these tokens.
    """
    arns, outputs = _role_arns(roles), {}
    trusting = [each for each in targets.values() if each.identity_audience]
    if any(isinstance(each, AzureTarget) for each in trusting):
        outputs["EntraSubjects"] = arns
    openai = [each for each in trusting if isinstance(each, OpenAITarget)]
    if openai:
        outputs["OpenAISubjects"] = arns
        outputs["OpenAIAudiences"] = ", ".join(sorted({f"{o.identity_audience}" for o in openai}))
    return outputs


def _role_arns(roles: Iterable[iam.IRole | None]) -> str:
    """Return the subjects of the tokens: the ARNs of the roles, separated by commas."""
    return ", ".join(role.role_arn for role in roles if role)


def _with_webhooks(targets: Mapping[str, Target]) -> list[str]:
    return [name for name, target in targets.items() if target.receives_webhooks]


def _check_size(names: Sequence[str]) -> None:
    """The functions get the ARNs in their environment, which Lambda limits to 4 KB in total."""
    size = sum(ARN_CHARS + 2 * len(name) for name in names)
    if size > MAX_ARNS_CHARS:
        raise ConfigError(
            f"gateway.toml: targets: they have {len(names)} secrets of their own, whose "
            f"ARNs have {size} characters. {MAX_ARNS_CHARS} fit into a function's environment."
        )


def _create_secret(
    scope: Construct, id: str, about: str, options: Options, key: kms.IKey | None
) -> secretsmanager.Secret:
    secret = secretsmanager.Secret(
        scope,
        id,
        # CloudFormation chooses the name: a secret that was retained when its target was removed
        # keeps its own, which would block a target of the same name.
        description=f"{about}, Antiphon {options.stage}, as plain text",
        # Later deployments do not overwrite the value that an operator has set.
        secret_string_value=SecretValue.unsafe_plain_text(PLACEHOLDER),
        encryption_key=key,
        removal_policy=removal_policy(options),
    )
    acknowledge(secret, "SMG4", "The provider issues it, so a function cannot rotate it.")
    return secret
