"""A request as a Lambda Function URL tells of it: payload version 2.0."""

from collections.abc import Iterable, Iterator
from typing import Any

from infra.local.call import Call, grouped

STAGE = "$default"
DOMAIN = "local.lambda-url.us-east-1.on.aws"


def build(call: Call) -> dict[str, Any]:
    headers = [(name.lower(), value) for name, value in call.passed_on()]
    body, is_base64 = call.body_fields()
    event = {
        "version": "2.0",
        "routeKey": STAGE,
        "rawPath": call.path,
        "rawQueryString": call.query,
        "cookies": list(_cookies(headers)),
        "headers": _joined(pair for pair in headers if pair[0] != "cookie"),
        "queryStringParameters": _joined(call.parameters),
        "requestContext": _context(call),
        "body": body,
        "isBase64Encoded": is_base64,
    }
    optional = ("cookies", "queryStringParameters", "body")  # absent where there is nothing to tell
    return {key: value for key, value in event.items() if value or key not in optional}


def _context(call: Call) -> dict[str, Any]:
    return {
        "accountId": "anonymous",
        "apiId": "local",
        "domainName": call.header("host") or DOMAIN,
        "domainPrefix": "local",
        "http": {
            "method": call.method,
            "path": call.path,
            "protocol": call.protocol,
            "sourceIp": call.source,
            "userAgent": call.header("user-agent") or "",
        },
        "requestId": call.id,
        "routeKey": STAGE,
        "stage": STAGE,
        "time": call.clock,
        "timeEpoch": call.epoch_ms,
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: ",".join(values) for name, values in grouped(pairs).items()}


def _cookies(headers: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, value in headers:
        if name == "cookie":
            yield from (cookie for part in value.split(";") if (cookie := part.strip()))
