"""A stack in its AWS account, as the checks read it, with the operator's own credentials."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.constructs.function_specs import FUNCTION_SPECS
from infra.operator.aws_errors import error_code
from infra.operator.stack import Stack, StackResource

DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "NotAuthorized",
    "UnauthorizedOperation",
}
MISSING = {
    "ResourceNotFoundException",  # of Lambda and Secrets Manager
    "NotFound",  # of SNS
    "AWS.SimpleQueueService.NonExistentQueue",
    "QueueDoesNotExist",
}


class NotAllowedError(Exception):
    """The operator's credentials do not allow an action; `action` is its name in IAM."""

    def __init__(self, action: str) -> None:
        super().__init__(action)
        self.action = action


class MissingError(Exception):
    """AWS does not know a resource that CloudFormation has created."""


@dataclass(frozen=True)
class Account:
    stack: Stack
    config: Path  # the local gateway.toml
    _clients: dict[str, Any] = field(default_factory=dict)

    def call(self, service: str, method: str, **parameters: Any) -> Any:
        """Call an operation; raise NotAllowedError, MissingError, or an exception of botocore."""
        if service not in self._clients:
            self._clients[service] = self.stack.client(service)
        try:
            return getattr(self._clients[service], method)(**parameters)
        except ClientError as exc:
            raise _translate(service, exc) from exc

    def functions(self) -> Iterator[tuple[str, str]]:
        """Yield the file of each of our functions, such as `settle`, and its name in Lambda."""
        for spec in FUNCTION_SPECS:
            for each in self.find("Lambda::Function", spec.name.capitalize()):
                yield spec.name, each.id

    def find(self, type: str, construct_id: str = "") -> list[StackResource]:
        """Find resources of the stack, as Stack.find does; raise NotAllowedError."""
        try:
            return self.stack.find(type, construct_id)
        except ClientError as exc:
            raise _translate("cloudformation", exc) from exc


def _translate(service: str, exc: ClientError) -> Exception:
    """Return the exception for an error of AWS; it is `exc` itself if the checks expect none."""
    code = error_code(exc)
    if code in DENIED:
        return NotAllowedError(f"{service}:{exc.operation_name}")
    return MissingError(str(exc)) if code in MISSING else exc
