"""One event, and the `context` that the handler gets with it."""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import jiter

from antiphon.runtime.failure import Fault


@dataclass
class Invocation:
    """A response of `invocation/next`: the event and its headers."""

    headers: Mapping[str, str]  # names in lower case
    payload: bytes  # empty once it is parsed

    @cached_property
    def id(self) -> str:
        return self.headers["lambda-runtime-aws-request-id"]

    @property
    def trace_id(self) -> str | None:
        return self.headers.get("lambda-runtime-trace-id")

    @cached_property
    def deadline_ms(self) -> int:
        """Milliseconds since the epoch at which Lambda ends it; 0 if unknown."""
        return int(self.headers.get("lambda-runtime-deadline-ms", 0))

    @property
    def echo_headers(self) -> dict[str, str]:
        """Headers that a response repeats, so that Lambda rejects one of an earlier invocation."""
        invocation_id = self.headers.get("lambda-runtime-invocation-id")
        return {"Lambda-Runtime-Invocation-Id": invocation_id} if invocation_id else {}

    def parse_event(self) -> Any:
        """Parse the payload, once; raises `Fault` for an event that is not JSON."""
        payload, self.payload = self.payload, b""  # not in memory beside all that is made of it
        with suppress(ValueError):  # json takes some of what it refuses: half of a surrogate pair
            return jiter.from_json(payload, cache_mode="keys")
        try:
            return json.loads(payload.decode(errors="surrogatepass"))
        except (ValueError, RecursionError) as error:
            raise Fault("Runtime.UnmarshalError", f"The event is not JSON: {error}") from error


@dataclass(frozen=True)
class Context:
    """The attributes of the managed runtime's context, by the names that Powertools reads.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    aws_request_id: str
    invoked_function_arn: str
    function_name: str
    function_version: str
    memory_limit_in_mb: str  # a string, as in the managed runtime
    log_group_name: str
    log_stream_name: str
    tenant_id: str | None
    client_context: Any  # the caller's, parsed from JSON, or None
    identity: Any  # Cognito's, parsed from JSON, or None
    deadline_ms: int  # milliseconds since the epoch

    @classmethod
    def from_invocation(cls, invocation: Invocation, env: Mapping[str, str]) -> Self:
        """Raises `Fault` for a header that is not JSON."""
        headers = invocation.headers
        return cls(
            aws_request_id=invocation.id,
            invoked_function_arn=headers.get("lambda-runtime-invoked-function-arn", ""),
            function_name=env.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            function_version=env.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
            memory_limit_in_mb=env.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", ""),
            log_group_name=env.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
            log_stream_name=env.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
            tenant_id=headers.get("lambda-runtime-aws-tenant-id"),
            client_context=_parse_json(headers.get("lambda-runtime-client-context")),
            identity=_parse_json(headers.get("lambda-runtime-cognito-identity")),
            deadline_ms=invocation.deadline_ms,
        )

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until Lambda stops the invocation, at least 0."""
        return max(0, self.deadline_ms - int(time.time() * 1000))


def _parse_json(header: str | None) -> Any:
    try:
        return json.loads(header) if header else None
    except ValueError as error:
        message = f"A header of the invocation is not JSON: {error}"
        raise Fault("Runtime.LambdaContextUnmarshalError", message) from error
