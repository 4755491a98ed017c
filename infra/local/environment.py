"""The environment variables of functions' processes: Lambda's, and what the stack would set."""

import os
from collections.abc import Mapping
from pathlib import Path

from antiphon.settings.metrics import NAMESPACE
from infra.local.aws.resources import DUMMY_CREDENTIALS, REGION, SECRET_PREFIX, TABLE, queue_url

# Of the developer's variables these alone; the last two say whom HTTPS is to trust.
KEPT = ("PATH", "HOME", "LANG", "VIRTUAL_ENV", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR")


def bare(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What any child needs, without the developer's keys."""
    kept = {name: env[name] for name in KEPT if name in env}
    return {**kept, **DUMMY_CREDENTIALS, "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}


def of_function(
    root: Path, endpoint: str, config: Path, env: Mapping[str, str], name: str = "api"
) -> dict[str, str]:
    """For functions/<name>.py."""
    return {
        **bare(env),
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
        "SECRET_PREFIX": SECRET_PREFIX,
        "QUEUE_URL": queue_url(endpoint),
        "CONFIG_FILE": str(config),
        "STAGE": "local",
        "POWERTOOLS_SERVICE_NAME": "antiphon",
        "POWERTOOLS_METRICS_NAMESPACE": NAMESPACE,
        # No CloudWatch reads them here, and the terminal is for people.
        "POWERTOOLS_METRICS_DISABLED": env.get("POWERTOOLS_METRICS_DISABLED") or "true",
        "POWERTOOLS_LOG_LEVEL": env.get("POWERTOOLS_LOG_LEVEL") or "INFO",
    }
