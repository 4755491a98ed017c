"""The whole deployment of one stage: stores, a function for each row, and what leads to them."""

from collections.abc import Sequence

from aws_cdk import CfnOutput, Stack, Tags
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from antiphon.settings.config import Config
from infra.constructs import secrets
from infra.constructs.domain import base_url
from infra.constructs.doors import DOORS, Door
from infra.constructs.firewall import firewall
from infra.constructs.function import function
from infra.constructs.identity import audiences, role_arns
from infra.constructs.options import Options, stack_name
from infra.constructs.rest import rest_api
from infra.constructs.stores import stores
from infra.constructs.watch import watch


class Antiphon(Stack):
    """Names no account and no Region: it is synthesised without either, and deployed to any."""

    def __init__(
        self,
        scope: Construct,
        options: Options,
        config: Config,
        code: lambda_.Code,
        doors: Sequence[Door] = DOORS,
    ) -> None:
        super().__init__(
            scope,
            stack_name(options.stage),
            description=f"Antiphon, a gateway for the OpenAI Responses API, stage {options.stage}",
            termination_protection=options.keeps_data,
        )
        Tags.of(self).add("application", "antiphon")
        Tags.of(self).add("stage", options.stage)
        kept = stores(self, doors, config.targets, options)
        functions = {door.name: function(self, door, code, kept, options) for door in doors}
        self._tell("TableName", kept.table.table_name)
        self._tell("KeyCacheSeconds", str(config.gateway.key_cache_seconds))
        callers = [functions[door.name] for door in doors if door.secrets]
        self._tell_credentials(config, callers, options)
        self._tell("AlarmTopic", watch(self, functions, kept.queues, options).topic_arn)
        self._open(functions["api"], options, kept.key)

    def _open(self, api: lambda_.Function, options: Options, key: kms.IKey | None) -> None:
        if options.rest:
            rest = rest_api(self, api, options, key)
            self._tell("RestUrl", base_url(self, rest, options))
            if options.firewall:
                firewall(self, rest, options)
        if options.url:
            made = api.add_function_url(
                # Keys are checked by the function, at both doors alike.
                auth_type=lambda_.FunctionUrlAuthType.NONE,
                invoke_mode=lambda_.InvokeMode.RESPONSE_STREAM,
            )
            self._tell("FunctionUrl", f"{made.url}v1")

    def _tell_credentials(
        self, config: Config, callers: Sequence[lambda_.Function], options: Options
    ) -> None:
        if names := secrets.names(config.targets, options):
            self._tell("SecretNames", ", ".join(names))
        if audiences(config.targets):
            self._tell("EntraSubjects", role_arns(made.role for made in callers))

    def _tell(self, name: str, value: str) -> None:
        CfnOutput(self, name, value=value)
