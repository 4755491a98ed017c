"""A request as an API Gateway REST API with a greedy proxy tells of it: payload version 1.0."""

from collections.abc import Iterable
from typing import Any

from infra.local.call import Call, grouped

STAGE = "local"
NOBODY = (
    "accessKey",
    "accountId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)


def build(call: Call) -> dict[str, Any]:
    headers = grouped(_one_spelling(call.passed_on()))
    parameters = grouped(call.parameters)
    body, is_base64 = call.body_fields()
    proxied = call.path.removeprefix("/")
    return {
        "resource": _resource(proxied),
        "path": call.path,
        "httpMethod": call.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(parameters) or None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": {"proxy": proxied} if proxied else None,
        "stageVariables": None,
        "requestContext": _context(call, _resource(proxied)),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _resource(proxied: str) -> str:
    return "/{proxy+}" if proxied else "/"


def _context(call: Call, resource: str) -> dict[str, Any]:
    agent = call.header("user-agent")
    return {
        "accountId": "123456789012",
        "apiId": "local",
        "domainName": call.header("host") or "local.execute-api.us-east-1.amazonaws.com",
        "domainPrefix": "local",
        "extendedRequestId": call.id,
        "httpMethod": call.method,
        "identity": {**dict.fromkeys(NOBODY), "sourceIp": call.source, "userAgent": agent},
        "path": f"/{STAGE}{call.path}",
        "protocol": call.protocol,
        "requestId": call.id,
        "requestTime": call.clock,
        "requestTimeEpoch": call.epoch_ms,
        "resourceId": "local",
        "resourcePath": resource,
        "stage": STAGE,
    }


def _one_spelling(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Two spellings of one header are one header, under the first."""
    spelling: dict[str, str] = {}
    return [(spelling.setdefault(name.lower(), name), value) for name, value in pairs]


def _last(values: dict[str, list[str]]) -> dict[str, str]:
    return {name: given[-1] for name, given in values.items()}
