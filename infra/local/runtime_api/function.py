"""A function as Lambda is configured with it: the environment variables of its processes."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from antiphon.settings.config import read_config
from antiphon.settings.metrics import NAMESPACE
from antiphon.settings.targets import webhook_secret_name
from infra.local.aws.resources import (
    DUMMY_CREDENTIALS,
    REGION,
    SIGNING_SECRET,
    TABLE,
    queue_url,
    secret_name,
)

# The developer's variables that child processes inherit: SSL_* configure trust in TLS, and MOTO_*
# have the local AWS record what is sent to it. It plays no guardrail: other servers do.
INHERITED = (
    *("PATH", "HOME", "LANG", "VIRTUAL_ENV", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("MOTO_ENABLE_RECORDING", "MOTO_RECORDER_FILEPATH"),
    *("AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
)


@dataclass(frozen=True)
class Function:
    """What is needed to start a function's processes."""

    wrapper: Path  # AWS_LAMBDA_EXEC_WRAPPER
    root: Path  # LAMBDA_TASK_ROOT
    env: Mapping[str, str]
    seconds: float  # Lambda's timeout


def child_environment(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables of any child process, without the developer's credentials."""
    inherited = {name: env[name] for name in INHERITED if name in env}
    return {**inherited, **DUMMY_CREDENTIALS, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}


def function_environment(
    root: Path, endpoint: str, config: Path, env: Mapping[str, str], name: str = "api"
) -> dict[str, str]:
    """The variables of functions/<name>.py, as Lambda and the stack set them."""
    return {
        **child_environment(env),
        "_HANDLER": f"{name}.handler",
        "LAMBDA_TASK_ROOT": str(root),
        "AWS_LAMBDA_FUNCTION_NAME": f"antiphon-local-{name}",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/antiphon-local-{name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "AWS_ENDPOINT_URL": endpoint,
        "TABLE_NAME": TABLE,
        "TARGET_SECRETS": json.dumps({name: secret_name(name) for name in _secret_names(config)}),
        "QUEUE_URL": queue_url(endpoint),
        "CONFIG_FILE": str(config),
        "WEBHOOK_SECRET": secret_name(SIGNING_SECRET),
        "WEBHOOK_LOOPBACK": "true",
        "STAGE": "local",
        "POWERTOOLS_SERVICE_NAME": "antiphon",
        "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
        # No CloudWatch reads the metrics here, and they would fill the terminal.
        "POWERTOOLS_METRICS_DISABLED": env.get("POWERTOOLS_METRICS_DISABLED") or "true",
        "POWERTOOLS_LOG_LEVEL": env.get("POWERTOOLS_LOG_LEVEL") or "INFO",
    }


def _secret_names(config: Path) -> list[str]:
    """Return the names of the secrets that the targets may have."""
    targets: Mapping[str, object] = read_config(config)["targets"]
    return [*targets, *map(webhook_secret_name, targets)]
