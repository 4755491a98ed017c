"""Operations of Lambda that moto lacks: the account's settings, and recursive loop detection.

As AWS documents them:
https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionRecursionConfig.html
"""

import json
from typing import Any

from moto.awslambda import urls
from moto.awslambda.models import LambdaBackend, LambdaFunction, lambda_backends
from moto.awslambda.responses import LambdaResponse
from moto.core import DEFAULT_ACCOUNT_ID

REGION = "us-east-1"
DEFAULT_QUOTA = 1000
PATHS = ("account-settings", r"functions/(?P<function_name>[\w_:%-]+)/recursion-config")


def install() -> None:
    """Add the operations to moto in this process; calling it again is harmless."""
    for path in PATHS:
        urls.url_paths[f"{{0}}/(?P<api_version>[^/]+)/{path}/?$"] = LambdaResponse.dispatch
    operations: Any = LambdaResponse
    operations.get_account_settings = _get_account_settings
    operations.get_function_recursion_config = _get_recursion_config
    operations.put_function_recursion_config = _put_recursion_config
    if not hasattr(LambdaFunction, "create_without_loop"):
        original = LambdaFunction.create_from_cloudformation_json
        LambdaFunction.create_without_loop = original  # type: ignore[attr-defined]
        function: Any = LambdaFunction
        function.create_from_cloudformation_json = classmethod(_create_function)


def backend() -> LambdaBackend:
    found: LambdaBackend = lambda_backends[DEFAULT_ACCOUNT_ID][REGION]
    return found


def set_quota(executions: int) -> None:
    """Set the account's quota for concurrent executions."""
    backend().__dict__["quota"] = executions


def _create_function(
    cls: Any, name: str, resource: Any, account: str, region: str, **more: Any
) -> LambdaFunction:
    """Create a function from a template, with its recursive loop detection."""
    made: LambdaFunction = cls.create_without_loop(name, resource, account, region, **more)
    loop = resource["Properties"].get("RecursiveLoop", "Terminate")
    loops = lambda_backends[account][region].__dict__.setdefault("loops", {})
    loops[made.function_name] = loop
    return made


def _get_account_settings(response: LambdaResponse) -> tuple[int, dict[str, str], str]:
    quota = response.backend.__dict__.get("quota", DEFAULT_QUOTA)
    names = [function.function_name for function in response.backend.list_functions()]
    counts = map(response.backend.get_function_concurrency, names)
    free = quota - sum(int(count) for count in counts if count is not None)
    limit = {"ConcurrentExecutions": quota, "UnreservedConcurrentExecutions": free}
    return 200, {}, json.dumps({"AccountLimit": limit, "AccountUsage": {}})


def _get_recursion_config(response: LambdaResponse) -> tuple[int, dict[str, str], str]:
    name = response.path.split("/")[-2]
    response.backend.get_function(name)
    loop = response.backend.__dict__.get("loops", {}).get(name, "Terminate")
    return 200, {}, json.dumps({"RecursiveLoop": loop})


def _put_recursion_config(response: LambdaResponse) -> tuple[int, dict[str, str], str]:
    name = response.path.split("/")[-2]
    loop = json.loads(response.body)["RecursiveLoop"]
    response.backend.__dict__.setdefault("loops", {})[name] = loop
    return 200, {}, json.dumps({"RecursiveLoop": loop})
