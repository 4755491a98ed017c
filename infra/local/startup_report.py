"""What a gateway that is ready reports: lines on the terminal, and files for programs."""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from antiphon.settings.config import Config
from infra.example_models import PREFERRED_MODELS
from infra.local import instance_file
from infra.local.aws.resources import REGION, TABLE
from infra.local.gateway import Gateway
from infra.local.options import LEVEL_VARIABLE, GatewayOptions
from infra.local.target_setup import PROVIDERS, credential_variable, is_signed, token_identity
from infra.operator.key_settings import KeySettings

BASE_PATH = "/v1"
PAGES = {"home": "/", "docs": "/docs", "console": "/console"}  # of the Function URL
LABEL_WIDTH = 14
SENTENCES = {"target", "AWS", "memory", "requests"}


def print_facts(console: Console, options: GatewayOptions, gateway: Gateway) -> None:
    for label, text in facts(options, gateway):
        if console.is_terminal and label in SENTENCES:
            console.print(_wrapped(label, text))
        else:  # not wrapped, so that addresses, keys and commands can be copied
            line = Text.assemble((f"{label:<{LABEL_WIDTH}}", "bold"), text)
            console.print(line, soft_wrap=True)


def _wrapped(label: str, text: str) -> Table:
    """Return a label beside a sentence that may take several lines."""
    grid = Table.grid()
    grid.add_column(width=LABEL_WIDTH)
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, "bold"), Text(text))
    return grid


def write_ready_file(path: Path, options: GatewayOptions, gateway: Gateway) -> None:
    document = {
        "url": gateway.url,
        "rest": gateway.rest,
        "aws_endpoint": gateway.aws,
        "table": TABLE,
        "keys": [{"tenant": local.tenant, "key": local.key} for local in options.keys],
        "simulator": gateway.simulator,
    }
    instance_file.write_private_json(path, document)


def publish(options: GatewayOptions, gateway: Gateway) -> AbstractContextManager[None]:
    """Let other commands find the gateway until the block ends."""
    instance = instance_file.Instance(
        url=gateway.url,
        rest=gateway.rest,
        aws_endpoint=gateway.aws,
        table=TABLE,
        key_cache_seconds=options.config.gateway.key_cache_seconds,
        pid=os.getpid(),
        targets=[*options.config.targets],
        key_settings=KeySettings.of(options.config).to_json(),
        requests_port=gateway.requests_port,
        configuration=str(gateway.configuration),
    )
    return instance_file.publish_instance(instance, instance_file.instance_folder(options.env))


def facts(options: GatewayOptions, gateway: Gateway) -> Iterator[tuple[str, str]]:
    for name, section in options.setup.document["targets"].items():
        yield "target", f"{name}: {describe_target(options, name, section)}"
    yield "Function URL", gateway.url
    yield "API Gateway", gateway.rest
    root = gateway.url.removesuffix(BASE_PATH)
    yield from ((name, root + path) for name, path in PAGES.items())
    for local in options.keys:
        yield "key", f"{local.key} (tenant {local.tenant})"
    yield "AWS", f"{gateway.aws} (table {TABLE}, region {REGION}, any credentials)"
    yield "memory", _describe_memory(options)
    yield "requests", _describe_requests(options)
    yield "try", _curl_command(options, gateway)
    yield "end", "with Ctrl-C"


def _describe_memory(options: GatewayOptions) -> str:
    if options.keep is None:
        return "nothing stays after the end; --keep DIR keeps table, keys and queue"
    simulated = ", but nothing that the simulator stores" if options.setup.simulated else ""
    return f"table, keys and queue stay in {options.keep}{simulated}"


def _describe_requests(options: GatewayOptions) -> str:
    if not options.has_request_lines:
        return f"not logged with {LEVEL_VARIABLE}={options.env[LEVEL_VARIABLE]}"
    return f"on stderr, with the log; more of it with {LEVEL_VARIABLE}=DEBUG"


def describe_target(options: GatewayOptions, name: str, section: dict[str, Any]) -> str:
    """The target's address, or what it needs in order not to be simulated."""
    provider = PROVIDERS[section["provider"]]
    if name in options.setup.simulated:
        return f"simulator, because there is no {_missing_credential(name, section)}"
    return section.get(provider.address_key) or options.config.targets[name].address


def _missing_credential(name: str, section: dict[str, Any]) -> str:
    if is_signed(section):
        return "AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, by which its requests are signed"
    identity = token_identity(section)
    if identity == "aws":
        return "AWS identity, which only deployed functions have"
    if identity == "secret":
        return f"{credential_variable(name)} (the client secret of its application in Entra ID)"
    return f"{credential_variable(name)} or {PROVIDERS[section['provider']].credential}"


def _curl_command(options: GatewayOptions, gateway: Gateway) -> str:
    model = _example_model(options.config)
    body = json.dumps({"model": model, "input": "Say hello.", "stream": True})
    return (
        f"curl -N {gateway.url}/responses -H 'Authorization: Bearer {options.keys[0].key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def _example_model(config: Config) -> str:
    """A model that the configuration serves."""
    targets = config.targets.values()
    named = (name for target in targets for name in target.models if "*" not in name)
    known = (
        name
        for name in PREFERRED_MODELS
        if any(target.upstream_model(name) is not None for target in targets)
    )
    return next(known, None) or next(named, "YOUR-MODEL")
