"""The API Gateway endpoint: a proxy with streamed responses; its domain name and firewall."""

import json
from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_route53 as route53
from aws_cdk import aws_wafv2 as waf
from constructs import Construct

from antiphon.schema.multipart import FORM_TYPE
from infra.constructs.options import Options
from infra.constructs.protection import acknowledge, create_log_group
from infra.rest_errors import REQUEST_ID, REST_ERRORS

# No header, query string or body.
ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId",
    "functionRequestId": "$context.integration.requestId",  # our x-antiphon-request-id
    "xrayTraceId": "$context.xrayTraceId",
    "requestTime": "$context.requestTime",
    "sourceIp": "$context.identity.sourceIp",
    "httpMethod": "$context.httpMethod",
    "path": "$context.path",
    "protocol": "$context.protocol",
    "status": "$context.status",
    "error": "$context.error.responseType",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "transferMode": "$context.integration.responseTransferMode",
    "timeToHeaders": "$context.integration.timeToAllHeaders",
    "timeToFirstContent": "$context.integration.timeToFirstContent",
    "functionLatency": "$context.integration.latency",  # until the stream's end
    "functionStatus": "$context.integration.integrationStatus",
}
ACKNOWLEDGED = {
    "APIG2": "The function validates requests: only it knows the dialects of the API.",
    "APIG6": "Execution logs contain headers and bodies: keys and content. The access log is on.",
}
AUTHENTICATED = "The function authenticates: clients send API keys in OpenAI's headers."
NO_FIREWALL = "AWS WAF is an option (antiphon:firewall): it costs money when the API is idle."
LOG_POLICY = (
    "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
)
LOG_POLICY_REASON = (
    "API Gateway has one role for all APIs of an account; AWS provides this policy for it."
)

Rule = waf.CfnWebACL.RuleProperty
Statement = waf.CfnWebACL.StatementProperty


def create_rest_api(
    scope: Construct, function: lambda_.IFunction, options: Options, key: kms.IKey | None
) -> apigateway.RestApi:
    """Create the API: one function for all paths and methods."""
    log_group = create_log_group(scope, "AccessLogs", options, key)
    api = apigateway.RestApi(
        scope,
        "Rest",
        rest_api_name=f"antiphon-{options.stage}",
        description=f"Antiphon, stage {options.stage}",
        # An edge-optimised endpoint closes a connection that is silent for 30 s.
        endpoint_types=[apigateway.EndpointType.REGIONAL],
        # Without it files would be ruined: API Gateway takes bodies for UTF-8. Not */*: JSON would
        # be base64, too, and a third larger. Streamed responses need no such setting.
        binary_media_types=[FORM_TYPE],
        cloud_watch_role=options.account_log_role,
        deploy_options=_stage_options(log_group, options),
    )
    integration = apigateway.LambdaIntegration(
        function,
        response_transfer_mode=apigateway.ResponseTransferMode.STREAM,
        timeout=Duration.minutes(15),
        allow_test_invoke=False,
    )
    api.node.try_remove_child("Endpoint")  # CDK's own output; ours contains the base URL
    api.root.add_method("ANY", integration)
    api.root.add_proxy(default_integration=integration)
    _acknowledge_findings(api, options)
    return api


def _stage_options(log_group: logs.LogGroup, options: Options) -> apigateway.StageOptions:
    return apigateway.StageOptions(
        stage_name=options.stage,
        throttling_rate_limit=options.throttle_rate,
        throttling_burst_limit=options.throttle_burst,
        tracing_enabled=True,
        metrics_enabled=True,
        access_log_destination=apigateway.LogGroupLogDestination(log_group),
        access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS_LOG_FIELDS)),
    )


def add_gateway_errors(api: apigateway.RestApi, cors_origins: Sequence[str]) -> None:
    """Put API Gateway's own errors into OpenAI's form, readable for the pages of one origin.

    Of several origins it cannot choose that of the request.
    """
    readable = {"access-control-allow-origin": cors_origins[0]} if len(cors_origins) == 1 else {}
    for error in REST_ERRORS:
        headers = {**error.headers, **readable}
        fixed = {name: f"'{value}'" for name, value in headers.items()}
        api.add_gateway_response(
            f"Refusal{error.kind}",
            type=apigateway.ResponseType.of(error.kind),
            status_code=error.status,
            response_headers={REQUEST_ID: "context.requestId", **fixed},
            templates={"application/json": error.body()},
        )


def _acknowledge_findings(api: apigateway.RestApi, options: Options) -> None:
    for rule, reason in ACKNOWLEDGED.items():
        acknowledge(api, rule, reason)
    for method in api.methods:
        acknowledge(method, "APIG4", AUTHENTICATED)
        acknowledge(method, "COG4", AUTHENTICATED)
    if not options.firewall:
        acknowledge(api, "APIG3", NO_FIREWALL)
    if options.account_log_role:
        acknowledge(api, f"IAM4[Policy::{LOG_POLICY}]", LOG_POLICY_REASON)


def create_base_url(scope: Construct, api: apigateway.RestApi, options: Options) -> str:
    """Return the base URL; create the domain name if the options have one."""
    if not (options.domain_name and options.certificate_arn):
        return f"{api.url}v1"
    domain = apigateway.DomainName(
        scope,
        "Domain",
        domain_name=options.domain_name,
        certificate=acm.Certificate.from_certificate_arn(
            scope, "Certificate", options.certificate_arn
        ),
        endpoint_type=apigateway.EndpointType.REGIONAL,
        security_policy=apigateway.SecurityPolicy.TLS_1_2,
        mapping=api,
    )
    if options.hosted_zone_id:
        _create_dns_record(scope, domain, options.domain_name, options.hosted_zone_id)
    return f"https://{options.domain_name}/v1"


def _create_dns_record(
    scope: Construct, domain: apigateway.DomainName, name: str, zone: str
) -> None:
    route53.CfnRecordSet(
        scope,
        "Record",
        hosted_zone_id=zone,
        name=name,
        type="A",
        alias_target=route53.CfnRecordSet.AliasTargetProperty(
            dns_name=domain.domain_name_alias_domain_name,
            hosted_zone_id=domain.domain_name_alias_hosted_zone_id,
        ),
    )


def create_firewall(scope: Construct, api: apigateway.RestApi, options: Options) -> None:
    """Create the web ACL of the option `firewall`; its rules look at addresses only.

    AWS's rules for content would treat prompts as attacks: they block bodies over 8 KB and text
    that contains SQL, scripts or shell commands.
    """
    acl = waf.CfnWebACL(
        scope,
        "Firewall",
        scope="REGIONAL",
        default_action=waf.CfnWebACL.DefaultActionProperty(allow={}),
        visibility_config=_visibility("all"),
        rules=[_reputation_rule(), _rate_rule(options.firewall_rate)],
    )
    waf.CfnWebACLAssociation(
        scope,
        "FirewallBeforeRest",
        resource_arn=api.deployment_stage.stage_arn,
        web_acl_arn=acl.attr_arn,
    )


def _reputation_rule() -> Rule:
    group = waf.CfnWebACL.ManagedRuleGroupStatementProperty(
        vendor_name="AWS", name="AWSManagedRulesAmazonIpReputationList"
    )
    return Rule(
        name="reputation",
        priority=0,
        override_action=waf.CfnWebACL.OverrideActionProperty(none={}),
        statement=Statement(managed_rule_group_statement=group),
        visibility_config=_visibility("reputation"),
    )


def _rate_rule(limit: int) -> Rule:
    rate = waf.CfnWebACL.RateBasedStatementProperty(
        limit=limit, aggregate_key_type="IP", evaluation_window_sec=300
    )
    return Rule(
        name="rate",
        priority=1,
        action=waf.CfnWebACL.RuleActionProperty(block={}),
        statement=Statement(rate_based_statement=rate),
        visibility_config=_visibility("rate"),
    )


def _visibility(name: str) -> waf.CfnWebACL.VisibilityConfigProperty:
    return waf.CfnWebACL.VisibilityConfigProperty(
        metric_name=name,
        cloud_watch_metrics_enabled=True,
        sampled_requests_enabled=False,  # samples contain headers, and so API keys
    )
