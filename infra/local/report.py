"""What `antiphon local` says once it serves: to people on the terminal, to programs in a file."""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from antiphon.settings.config import Config, OpenAITarget
from infra.local import note
from infra.local.aws.resources import REGION, TABLE
from infra.local.cast import PROVIDERS, entra_identity, own_variable
from infra.local.session import Gateway, Plan

LIKELY_MODELS = ("gpt-5-mini", "gpt-5", "gpt-4.1-mini")


def greet(console: Console, plan: Plan, gateway: Gateway) -> None:
    for label, text in _facts(plan, gateway):
        # Not wrapped: what is to be copied is to be copied whole.
        console.print(Text.assemble((f"{label:<14}", "bold"), text), soft_wrap=True)


def write_ready_file(path: Path, plan: Plan, gateway: Gateway) -> None:
    note.write(path, _ready(plan, gateway))


def noting(plan: Plan, gateway: Gateway) -> AbstractContextManager[None]:
    """As long as it serves, other commands find it."""
    here = note.Note(
        url=gateway.url,
        rest=gateway.rest,
        aws_endpoint=gateway.aws,
        table=TABLE,
        key_cache_seconds=plan.config.gateway.key_cache_seconds,
        pid=os.getpid(),
    )
    return note.left(here, note.folder(plan.env))


def _ready(plan: Plan, gateway: Gateway) -> dict[str, Any]:
    return {
        "url": gateway.url,
        "rest": gateway.rest,
        "aws_endpoint": gateway.aws,
        "table": TABLE,
        "keys": [{"tenant": local.tenant, "key": local.key} for local in plan.keys],
        "simulator": gateway.simulator,
    }


def _facts(plan: Plan, gateway: Gateway) -> Iterator[tuple[str, str]]:
    for name, section in plan.cast.document["targets"].items():
        yield "target", f"{name}: {_player(plan, name, section)}"
    yield "Function URL", gateway.url
    yield "API Gateway", gateway.rest
    for local in plan.keys:
        yield "key", f"{local.key} (tenant {local.tenant})"
    yield "AWS", f"{gateway.aws} (table {TABLE}, region {REGION}, any credentials)"
    yield "log", "on stderr; POWERTOOLS_LOG_LEVEL=DEBUG tells more"
    yield "try", _curl(plan, gateway)
    yield "end", "with Ctrl-C"


def _player(plan: Plan, name: str, section: dict[str, Any]) -> str:
    provider = PROVIDERS[section["provider"]]
    if name in plan.cast.simulated:
        return f"simulator, for want of {_wanted(name, section)}"
    own: str = section.get(provider.address_key, OpenAITarget.model_fields["base_url"].default)
    return own


def _wanted(name: str, section: dict[str, Any]) -> str:
    identity = entra_identity(section)
    if identity == "aws":
        return "an AWS identity, which functions have where they are deployed"
    if identity == "secret":
        return f"{own_variable(name)}, the client secret of its application in Entra ID"
    return f"{own_variable(name)} or {PROVIDERS[section['provider']].credential}"


def _curl(plan: Plan, gateway: Gateway) -> str:
    body = json.dumps({"model": _model(plan.config), "input": "Say hello.", "stream": True})
    return (
        f"curl -N {gateway.url}/responses -H 'Authorization: Bearer {plan.keys[0].key}' "
        f"-H 'Content-Type: application/json' -d '{body}'"
    )


def _model(config: Config) -> str:
    """A model that the configuration serves."""
    targets = config.targets.values()
    named = (name for target in targets for name in target.models if "*" not in name)
    likely = (
        name
        for name in LIKELY_MODELS
        if any(target.upstream_model(name) is not None for target in targets)
    )
    return next(likely, None) or next(named, "YOUR-MODEL")
