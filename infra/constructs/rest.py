"""The API Gateway door: everything goes to the function, answers are streamed."""

import json

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.constructs.findings import acknowledge
from infra.constructs.options import Options
from infra.constructs.retention import log_group

# Who called what, how it ended and how long it took: no header, query string or body.
ACCESS = {
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
    "functionLatency": "$context.integration.latency",
    "functionStatus": "$context.integration.integrationStatus",
}
# API Gateway's own refusals, told as a client of OpenAI reads them: type and code.
REFUSALS = {
    apigateway.ResponseType.DEFAULT_4_XX: ("invalid_request_error", "$context.error.responseType"),
    apigateway.ResponseType.DEFAULT_5_XX: ("server_error", "$context.error.responseType"),
    apigateway.ResponseType.THROTTLED: ("requests", "rate_limit_exceeded"),
}
REASONS = {
    "APIG2": "The function validates: it alone knows the dialects, and refuses in OpenAI's words.",
    "APIG6": "Execution logs show headers and bodies: keys and content. The access log is on.",
}
AUTHENTICATED = "The function authenticates: keys are OpenAI's kind, in headers that clients send."
UNWALLED = "AWS WAF is an option (antiphon:firewall): it costs while nobody calls."
PUSHES_LOGS = (
    "arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
)
THEIR_POLICY = (
    "API Gateway takes one role for all of an account's APIs; this is AWS's policy for it."
)


def rest_api(
    scope: Construct, function: lambda_.IFunction, options: Options, key: kms.IKey | None
) -> apigateway.RestApi:
    made = apigateway.RestApi(
        scope,
        "Rest",
        rest_api_name=f"antiphon-{options.stage}",
        description=f"Antiphon, stage {options.stage}",
        endpoint_types=[apigateway.EndpointType.REGIONAL],  # an edge gives up after 30 s of silence
        cloud_watch_role=options.account_log_role,
        deploy_options=_stage(log_group(scope, "AccessLogs", options, key), options),
    )
    streamed = apigateway.LambdaIntegration(
        function,
        response_transfer_mode=apigateway.ResponseTransferMode.STREAM,
        timeout=Duration.minutes(15),
        allow_test_invoke=False,
    )
    made.node.try_remove_child("Endpoint")  # an output of its own: ours names the base URL
    made.root.add_method("ANY", streamed)
    made.root.add_proxy(default_integration=streamed)
    _refuse_in_openai_s_words(made)
    _acknowledge(made, options)
    return made


def _stage(log: logs.LogGroup, options: Options) -> apigateway.StageOptions:
    return apigateway.StageOptions(
        stage_name=options.stage,
        throttling_rate_limit=options.throttle_rate,
        throttling_burst_limit=options.throttle_burst,
        tracing_enabled=True,
        metrics_enabled=True,
        access_log_destination=apigateway.LogGroupLogDestination(log),
        access_log_format=apigateway.AccessLogFormat.custom(json.dumps(ACCESS)),
    )


def _refuse_in_openai_s_words(api: apigateway.RestApi) -> None:
    for refusal, (kind, code) in REFUSALS.items():
        message = '"message": $context.error.messageString'  # in its quotes already
        error = f'{message}, "type": "{kind}", "param": null, "code": "{code}"'
        api.add_gateway_response(
            f"Refusal{refusal.response_type}",
            type=refusal,
            response_headers={"x-antiphon-request-id": "context.requestId"},
            templates={"application/json": f'{{"error": {{{error}}}}}'},
        )


def _acknowledge(api: apigateway.RestApi, options: Options) -> None:
    for rule, reason in REASONS.items():
        acknowledge(api, rule, reason)
    for method in api.methods:
        acknowledge(method, "APIG4", AUTHENTICATED)
        acknowledge(method, "COG4", AUTHENTICATED)
    if not options.firewall:
        acknowledge(api, "APIG3", UNWALLED)
    if options.account_log_role:
        acknowledge(api, f"IAM4[Policy::{PUSHES_LOGS}]", THEIR_POLICY)
