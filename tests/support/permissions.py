"""The operators' policy, played at botocore's border: moto does not check Lambda's GET requests."""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore import handlers
from botocore.exceptions import ClientError

from tests.support.iam import ACCOUNT, IamRequest, is_allowed

# Each service has its own code for what IAM denies.
CODES = {"lambda": "AccessDeniedException", "secretsmanager": "AccessDeniedException"}
CODES["sns"] = "AuthorizationError"
SECRET_TAG = {"aws:ResourceTag/application": ["antiphon"]}  # which the stack's resources have

POLICY = json.loads((Path(__file__).parents[2] / "docs" / "operator-policy.json").read_text())


def actions_of(prefix: str) -> set[str]:
    """Return the actions in the statements of the operators' policy whose id begins with this."""
    found = (each["Action"] for each in POLICY["Statement"] if each["Sid"].startswith(prefix))
    return {action for given in found for action in _as_list(given)}


def _as_list(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


@contextmanager
def allow_only(actions: Collection[str]) -> Iterator[set[str]]:
    """Deny what these actions and the operators' policy do not allow; yield the actions used.

    It concerns clients that are made from now on.
    """
    used: set[str] = set()

    def check(params: Any, model: Any, **_: object) -> None:
        service = model.service_model.service_name
        request = IamRequest(f"{service}:{model.name}", _resource(service, params), SECRET_TAG)
        used.add(request.action)
        if request.action not in actions or not is_allowed(POLICY, request):
            message = f"User: x is not authorized to perform: {request.action}"
            error: Any = {"Code": CODES.get(service, "AccessDenied"), "Message": message}
            raise ClientError({"Error": error}, model.name)

    hook: Any = ("before-parameter-build", check)
    handlers.BUILTIN_HANDLERS.append(hook)
    try:
        yield used
    finally:
        handlers.BUILTIN_HANDLERS.remove(hook)


def _resource(service: str, params: Any) -> str:
    """Return the ARN of what a request reads; * if the action has no resources."""
    match params:
        case {"SecretId": arn} | {"TopicArn": arn} | {"PolicySourceArn": arn}:
            return str(arn)
        case {"StackName": name}:
            path = f"stack/{name}/1-2-3"
        case {"FunctionName": name}:
            path = f"function:{name}"
        case {"UUID": id}:
            path = f"event-source-mapping:{id}"
        case {"QueueUrl": url}:
            path = url.rpartition("/")[2]
        case _:
            return "*"
    return ACCOUNT.format(service, path)
