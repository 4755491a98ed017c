"""IAM policies played: whether a policy allows a request, with resources and conditions.

moto checks actions only, and lacks IAM's own simulation, which `install_simulation` adds. Policies that deny are not supported: there is none to play.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

import botocore.handlers
from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse

ACCOUNT = "arn:aws:{}:us-east-1:123456789012:{}"
SETS: Mapping[str, Callable[..., bool]] = {"ForAllValues": all, "ForAnyValue": any}
MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringLike": fnmatchcase,
    "ArnLike": fnmatchcase,
}


@dataclass(frozen=True)
class IamRequest:
    """One action on one resource; values of condition keys that do not exist are missing."""

    action: str
    resource: str
    context: Mapping[str, Collection[str]] = field(default_factory=dict)


def is_allowed(policy: Mapping[str, Any], request: IamRequest) -> bool:
    return any(_allows(statement, request) for statement in policy["Statement"])


def _allows(statement: Mapping[str, Any], request: IamRequest) -> bool:
    assert statement["Effect"] == "Allow"
    return (
        any(fnmatchcase(request.action, pattern) for pattern in _listed(statement["Action"]))
        and any(
            fnmatchcase(request.resource, pattern) for pattern in _listed(statement["Resource"])
        )
        and all(
            _holds(operator, request.context.get(key, ()), _listed(allowed))
            for operator, keys in statement.get("Condition", {}).items()
            for key, allowed in keys.items()
        )
    )


def _holds(operator: str, values: Collection[str], allowed: Collection[str]) -> bool:
    """Whether a condition holds; a plain one has one value, and none without its key."""
    quantifier, _, name = operator.rpartition(":")
    matches = (any(MATCHES[name](value, each) for each in allowed) for value in values)
    return SETS[quantifier](matches) if quantifier else len(values) == 1 and all(matches)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def install_simulation() -> None:
    """Add SimulatePrincipalPolicy of a role's own policies to moto in this process."""
    operations: Any = IamResponse
    operations.simulate_principal_policy = _simulate


def _simulate(response: Any) -> ActionResult:
    role = response._get_param("PolicySourceArn").rpartition("/")[2]
    texts = response.backend.get_role(role).policies.values()
    entries = response._get_param("ContextEntries", [])
    context = {each["ContextKeyName"]: each["ContextKeyValues"] for each in entries}
    (resource,) = response._get_param("ResourceArns")
    return ActionResult(
        {
            "EvaluationResults": [
                {"EvalActionName": action, "EvalDecision": _decide(texts, request)}
                for action in response._get_param("ActionNames")
                for request in [IamRequest(action, resource, context)]
            ]
        }
    )


def _decide(texts: Iterable[str], request: IamRequest) -> str:
    is_granted = any(is_allowed(json.loads(text), request) for text in texts)
    return "allowed" if is_granted else "implicitDeny"


@contextmanager
def recorded_requests() -> Iterator[list[IamRequest]]:
    """What IAM is asked for the calls of DynamoDB, CloudFormation and CloudWatch Logs in the block."""
    requests: list[IamRequest] = []

    def record(params: Any, model: Any, **_: object) -> None:
        read = RECORDERS[model.service_model.service_name]
        requests.extend(read(model.name, params))

    # Every client made from now on has it. moto does the same.
    entry = ("provide-client-params.*.*", record)
    botocore.handlers.BUILTIN_HANDLERS.append(entry)
    try:
        yield requests
    finally:
        botocore.handlers.BUILTIN_HANDLERS.remove(entry)


def _of_cloudformation(operation: str, params: Any) -> Iterator[IamRequest]:
    stack = ACCOUNT.format("cloudformation", f"stack/{params['StackName']}/1-2-3")
    yield IamRequest(f"cloudformation:{operation}", stack)


def _of_dynamodb(operation: str, params: Any) -> Iterator[IamRequest]:
    """A transaction is one request for each of its updates, as IAM takes it."""
    match operation:
        case "TransactWriteItems":
            for each in params["TransactItems"]:
                ((kind, inner),) = each.items()
                yield from _of_dynamodb(f"{kind}Item", inner)
        case "BatchGetItem":
            for table, keys in params["RequestItems"].items():
                yield _row_request(operation, table, [key["pk"]["S"] for key in keys["Keys"]])
        case "Query":
            index = f"/index/{params['IndexName']}" if "IndexName" in params else ""
            partition = params["ExpressionAttributeValues"][":pk"]["S"]
            yield _row_request(operation, params["TableName"] + index, [partition])
        case _:
            row = params.get("Key") or params["Item"]
            yield _row_request(operation, params["TableName"], [row["pk"]["S"]])


def _of_sts(*_: Any) -> tuple[()]:
    """GetCallerIdentity needs no permission, and none can forbid it.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
    """
    return ()


def _of_logs(operation: str, params: Any) -> Iterator[IamRequest]:
    group = ACCOUNT.format("logs", f"log-group:{params['logGroupName']}:log-stream:")
    yield IamRequest(f"logs:{operation}", group)


RECORDERS: Mapping[str, Callable[[str, Any], Iterable[IamRequest]]] = {
    "cloudformation": _of_cloudformation,
    "dynamodb": _of_dynamodb,
    "logs": _of_logs,
    "sts": _of_sts,
}


def _row_request(operation: str, place: str, keys: list[str]) -> IamRequest:
    context = {"dynamodb:LeadingKeys": keys}
    return IamRequest(
        f"dynamodb:{operation}", ACCOUNT.format("dynamodb", f"table/{place}"), context
    )
