"""What a provider says no with, before a dialect gives it its shape."""

from collections.abc import Mapping
from dataclasses import dataclass, field

AGAIN = "The server had an error while processing your request. Sorry about that!"
INVALID = "invalid_request_error"


@dataclass(eq=False)
class Refusal(Exception):
    """An error answer, raised by whoever finds the fault."""

    status: int
    message: str
    code: str | None = None
    param: str | None = None
    type: str = INVALID
    headers: Mapping[str, str] = field(default_factory=dict)


def missing(param: str) -> Refusal:
    message = f"Missing required parameter: '{param}'."
    return Refusal(400, message, "missing_required_parameter", param)


def invalid(param: str, fault: str, code: str) -> Refusal:
    return Refusal(400, f"Invalid '{param}': {fault}", code, param)


def not_found(kind: str, id: str) -> Refusal:
    return Refusal(404, f"{kind} with id '{id}' not found.")


def no_model(name: str) -> Refusal:
    message = f"The model `{name}` does not exist or you do not have access to it."
    return Refusal(404, message, "model_not_found", "model")
