"""Lambda events of HTTP requests: Function URL (format 2.0), REST API with a proxy (format 1.0)."""

from collections.abc import Iterable, Iterator
from typing import Any

from infra.local.aws.resources import ACCOUNT
from infra.local.http.request import HttpRequest, group_values

URL_STAGE, REST_STAGE = "$default", "local"
URL_DOMAIN = "local.lambda-url.us-east-1.on.aws"
REST_DOMAIN = "local.execute-api.us-east-1.amazonaws.com"
ABSENT_IF_EMPTY = ("cookies", "queryStringParameters", "body")
EMPTY_IDENTITY = (
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


def build_url_event(request: HttpRequest) -> dict[str, Any]:
    """See https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads."""
    headers = [(name.lower(), value) for name, value in request.forwarded_headers()]
    body, is_base64 = request.url_body()
    event = {
        "version": "2.0",
        "routeKey": URL_STAGE,
        "rawPath": request.path,
        "rawQueryString": request.query,
        "cookies": list(_split_cookies(headers)),
        "headers": _join_values(pair for pair in headers if pair[0] != "cookie"),
        "queryStringParameters": _join_values(request.parameters),
        "requestContext": _url_context(request),
        "body": body,
        "isBase64Encoded": is_base64,
    }
    return {key: value for key, value in event.items() if value or key not in ABSENT_IF_EMPTY}


def _url_context(request: HttpRequest) -> dict[str, Any]:
    return {
        "accountId": "anonymous",
        "apiId": "local",
        "domainName": request.header("host") or URL_DOMAIN,
        "domainPrefix": "local",
        "http": {
            "method": request.method,
            "path": request.path,
            "protocol": request.protocol,
            "sourceIp": request.source,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": request.id,
        "routeKey": URL_STAGE,
        "stage": URL_STAGE,
        "time": request.formatted_time,
        "timeEpoch": request.epoch_ms,
    }


def _join_values(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: ",".join(values) for name, values in group_values(pairs).items()}


def _split_cookies(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in headers:
        if name == "cookie":
            yield from (cookie for part in value.split(";") if (cookie := part.strip()))


def build_rest_event(request: HttpRequest) -> dict[str, Any]:
    """See "Input format of a Lambda function for proxy integration" in API Gateway's guide."""
    headers = group_values(_unify_names(request.forwarded_headers()))
    parameters = group_values(request.parameters)
    body, is_base64 = request.rest_body()
    proxy_path = request.path.removeprefix("/")
    resource = "/{proxy+}" if proxy_path else "/"
    return {
        "resource": resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": _last_values(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last_values(parameters) or None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": {"proxy": proxy_path} if proxy_path else None,
        "stageVariables": None,
        "requestContext": _rest_context(request, resource),
        "body": body,
        "isBase64Encoded": is_base64,
    }


def _rest_context(request: HttpRequest, resource: str) -> dict[str, Any]:
    client = {"sourceIp": request.source, "userAgent": request.header("user-agent")}
    return {
        "accountId": ACCOUNT,
        "apiId": "local",
        "domainName": request.header("host") or REST_DOMAIN,
        "domainPrefix": "local",
        "extendedRequestId": request.id,
        "httpMethod": request.method,
        "identity": {**dict.fromkeys(EMPTY_IDENTITY), **client},
        "path": f"/{REST_STAGE}{request.path}",
        "protocol": request.protocol,
        "requestId": request.id,
        "requestTime": request.formatted_time,
        "requestTimeEpoch": request.epoch_ms,
        "resourceId": "local",
        "resourcePath": resource,
        "stage": REST_STAGE,
    }


def _unify_names(pairs: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    """Give headers that differ only in case the name of the first one."""
    names: dict[str, str] = {}
    return [(names.setdefault(name.lower(), name), value) for name, value in pairs]


def _last_values(values: dict[str, list[str]]) -> dict[str, str]:
    return {name: all_values[-1] for name, all_values in values.items()}
