"""What API Gateway itself answers, in OpenAI's error envelope: where no answer of the function is.

The types of its errors: "Gateway response types for API Gateway" in its guide. A Lambda function
that is throttled and one that ends without an answer are both INTEGRATION_FAILURE, and nothing that
a gateway response can read tells them apart: docs/decisions/0023-errors-of-api-gateway.md.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

REQUEST_ID = "x-antiphon-request-id"
NO_RETRY = {"x-should-retry": "false"}  # SDKs repeat every 5xx without it
MESSAGE_VARIABLE = "$context.error.messageString"  # API Gateway adds the quotes
TYPE_VARIABLE = "$context.error.responseType"


@dataclass(frozen=True)
class RestError:
    """One type of API Gateway's errors; without a message of ours it has API Gateway's own."""

    kind: str
    type: str
    code: str = TYPE_VARIABLE
    message: str | None = None
    status: str | None = None  # None means API Gateway's default
    may_be_processed: bool = False  # whether the function may have been running

    @property
    def headers(self) -> Mapping[str, str]:
        return NO_RETRY if self.may_be_processed else {}

    def body(self) -> str:
        """Return the body as a template: API Gateway replaces the variables in it."""
        message = MESSAGE_VARIABLE if self.message is None else json.dumps(self.message)
        more = f'"type": "{self.type}", "param": null, "code": "{self.code}"'
        return f'{{"error": {{"message": {message}, {more}}}}}'


TIMEOUT = RestError(
    "INTEGRATION_TIMEOUT",
    "server_error",
    code="integration_timeout",
    message="The gateway sent nothing within the time limit of API Gateway. The request may have "
    "been processed: do not repeat it. Create a response that takes long with stream or background "
    "set to true.",
    may_be_processed=True,
)
FAILURE = RestError(
    "INTEGRATION_FAILURE",
    "server_error",
    code="integration_failure",
    message="The gateway's function was not started, or ended without an answer. The request may "
    "have been processed: do not repeat it without an Idempotency-Key.",
    status="502",
    may_be_processed=True,
)
REST_ERRORS = (
    RestError("DEFAULT_4XX", "invalid_request_error"),
    RestError("DEFAULT_5XX", "server_error"),
    RestError("THROTTLED", "requests", code="rate_limit_exceeded"),
    TIMEOUT,
    FAILURE,
)
