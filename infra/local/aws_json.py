"""AWS's JSON protocol, as far as moto looks at it: the name of an operation and a document."""

import json
from typing import Any

import aiohttp

from infra.local.things import REGION

SERVICES = {"AmazonSQS": "sqs", "DynamoDBStreams_20120810": "dynamodb"}
SECONDS_TO_ANSWER = 60.0  # more than the longest wait that is asked for


class Refused(Exception):
    """The operation is not there, or not to be done so."""


class Aws:
    """Calls without boto3, whose waits would hold up a thread, and with it the end of it all."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: str) -> None:
        self._session = session
        self.endpoint = endpoint

    async def __call__(self, service: str, operation: str, **document: Any) -> Any:
        """Raise aiohttp.ClientError or TimeoutError where there is no answer."""
        scope = f"local/20260101/{REGION}/{SERVICES[service]}/aws4_request"
        headers = {
            "X-Amz-Target": f"{service}.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=, Signature=",
        }
        body, limit = json.dumps(document), aiohttp.ClientTimeout(SECONDS_TO_ANSWER)
        async with self._session.post(
            self.endpoint, data=body, headers=headers, timeout=limit
        ) as answer:
            if not answer.ok:
                raise Refused(f"{operation}: {await answer.text()}")
            return await answer.json(content_type=None)
