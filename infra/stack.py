"""The stack of one stage: the stores, the functions, and the endpoints in front of them."""

from collections.abc import Sequence

from aws_cdk import CfnOutput, Environment, Stack, Tags
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from antiphon.settings.config import Config
from infra.constructs.alarms import create_alarms
from infra.constructs.bedrock import allow_bedrock
from infra.constructs.credentials import (
    add_webhook_secrets,
    allow_guardrail,
    allow_telemetry_secret,
    secret_arns,
    subject_outputs,
)
from infra.constructs.dashboard import create_dashboard
from infra.constructs.events import allow_events
from infra.constructs.function_specs import FUNCTION_SPECS, STREAM_FUNCTION, FunctionSpec
from infra.constructs.functions import add_trigger, create_function
from infra.constructs.options import Options, stack_name
from infra.constructs.queries import create_queries
from infra.constructs.rest_api import (
    add_gateway_errors,
    create_base_url,
    create_firewall,
    create_rest_api,
)
from infra.constructs.rollout import create_alias, create_canary
from infra.constructs.storage import Stores, create_stores
from infra.constructs.webhooks import add_webhooks
from infra.fingerprint import OUTPUT, fingerprint
from infra.operator.key_settings import KeySettings


class AntiphonStack(Stack):
    """Has no fixed account, nor a Region unless an option needs one: it deploys to any."""

    def __init__(
        self,
        scope: Construct,
        options: Options,
        config: Config,
        code: lambda_.Code,
        specs: Sequence[FunctionSpec] = FUNCTION_SPECS,
    ) -> None:
        super().__init__(
            scope,
            stack_name(options.stage),
            description=f"Antiphon, a gateway for the OpenAI Responses API, stage {options.stage}",
            termination_protection=options.keeps_data,
            env=Environment(region=options.region) if options.region else None,
        )
        Tags.of(self).add("application", "antiphon")
        Tags.of(self).add("stage", options.stage)
        stores = create_stores(self, specs, config.targets, options)
        functions = {s.name: create_function(self, s, code, stores, options) for s in specs}
        aliases = {
            s.name: create_alias(functions[s.name], options, is_provisioned=s.streams)
            for s in specs
        }
        for spec in specs:
            add_trigger(aliases[spec.name], spec, stores, options)
        self._add_output("TableName", stores.table.table_name)
        self._add_output("KeyCacheSeconds", str(config.gateway.key_cache_seconds))
        self._add_output("TargetNames", ", ".join(config.targets))
        for name, value in KeySettings.of(config).to_outputs():
            self._add_output(name, value)
        self._add_output(OUTPUT, fingerprint(config))
        self._allow_credentials(functions, specs, config, stores)
        signing = [functions[spec.name] for spec in specs if spec.secrets]
        add_webhooks(self, signing, config.webhooks, options, stores.key)
        alarms = self._add_monitoring(functions, stores, options)
        create_canary(self, aliases["api"], alarms, options)
        self._add_endpoints(aliases["api"], options, config, stores.key)

    def _add_monitoring(
        self, functions: dict[str, lambda_.Function], stores: Stores, options: Options
    ) -> list[cloudwatch.Alarm]:
        alarms, topic = create_alarms(self, functions, stores, options)
        create_dashboard(self, options.stage, functions, stores.queues, alarms)
        create_queries(self, options.stage, functions)
        self._add_output("AlarmTopic", topic.topic_arn)
        return alarms

    def _add_endpoints(
        self, function: lambda_.Alias, options: Options, config: Config, key: kms.IKey | None
    ) -> None:
        if options.rest:
            api = create_rest_api(self, function, options, key)
            add_gateway_errors(api, config.gateway.cors_origins)
            self._add_output("RestUrl", create_base_url(self, api, options))
            if options.firewall:
                create_firewall(self, api, options)
        if options.url:
            url = function.add_function_url(
                # The function checks API keys, for both endpoints alike.
                auth_type=lambda_.FunctionUrlAuthType.NONE,
                invoke_mode=lambda_.InvokeMode.RESPONSE_STREAM,
            )
            self._add_output("FunctionUrl", f"{url.url}v1")

    def _allow_credentials(
        self,
        functions: dict[str, lambda_.Function],
        specs: Sequence[FunctionSpec],
        config: Config,
        stores: Stores,
    ) -> None:
        if STREAM_FUNCTION in functions:
            allow_telemetry_secret(functions[STREAM_FUNCTION], config.telemetry)
        allow_guardrail(functions["api"], config.guardrail)
        add_webhook_secrets(functions["api"], stores.secrets, stores.webhook_secrets)
        senders = [functions[spec.name] for spec in specs if spec.announces]
        allow_events(senders, config.events)
        callers = [functions[spec.name] for spec in specs if spec.secrets]
        creators = [functions[spec.name] for spec in specs if spec.secrets and spec.streams]
        followers = [functions[spec.name] for spec in specs if spec.secrets and not spec.streams]
        allow_bedrock(creators, followers, config.targets)
        secrets = {**stores.secrets, **stores.webhook_secrets}
        for number, each in enumerate(secrets.items(), 1):  # an output has 1,024 characters
            self._add_output(f"TargetSecret{number}", secret_arns(self, dict([each])))
        roles = (function.role for function in callers)
        for name, value in subject_outputs(config.targets, roles).items():
            self._add_output(name, value)

    def _add_output(self, name: str, value: str) -> None:
        CfnOutput(self, name, value=value)
