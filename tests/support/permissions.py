"""An IAM policy by its actions, at botocore's border: moto does not check Lambda's GET requests."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore import handlers
from botocore.exceptions import ClientError

# Each service has its own code for what IAM denies.
CODES = {"lambda": "AccessDeniedException", "secretsmanager": "AccessDeniedException"}
CODES["sns"] = "AuthorizationError"

POLICY = json.loads((Path(__file__).parents[2] / "docs" / "operator-policy.json").read_text())


def actions_of(prefix: str) -> set[str]:
    """Return the actions in the statements of the operators' policy whose id begins with this."""
    found = (each["Action"] for each in POLICY["Statement"] if each["Sid"].startswith(prefix))
    return {action for given in found for action in _as_list(given)}


def _as_list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


@contextmanager
def allow_only(actions: Collection[str]) -> Iterator[set[str]]:
    """Deny all other actions to clients that are made from now on; yield the actions used."""
    used: set[str] = set()

    def check(model: Any, **_: object) -> None:
        service = model.service_model.service_name
        action = f"{service}:{model.name}"
        used.add(action)
        if action not in actions:
            message = f"User: x is not authorized to perform: {action}"
            error: Any = {"Code": CODES.get(service, "AccessDenied"), "Message": message}
            raise ClientError({"Error": error}, model.name)

    hook: Any = ("before-parameter-build", check)
    handlers.BUILTIN_HANDLERS.append(hook)
    try:
        yield used
    finally:
        handlers.BUILTIN_HANDLERS.remove(hook)
