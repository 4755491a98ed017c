"""/models: what the gateway serves, in OpenAI's shape."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router
from cachetools import TTLCache

from antiphon.auth import Auth
from antiphon.errors import GatewayError, ModelNotFound
from antiphon.http import Reply, Request
from antiphon.ledger.reading import read
from antiphon.observe import logger
from antiphon.providers import Step
from antiphon.relay import Call, Relay
from antiphon.routes.traffic import Receiver, routed
from antiphon.routing import Router as Routing
from antiphon.settings.config import Target

KEPT_SECONDS = 300.0  # how long the targets' own lists are taken for the newest

type Model = dict[str, Any]


@dataclass(frozen=True)
class Models:
    auth: Auth
    routing: Routing
    relay: Relay
    kept: TTLCache[str, dict[str, Model]] = field(default_factory=lambda: TTLCache(1, KEPT_SECONDS))

    def every(self, request: Request) -> Reply:
        self.auth.identify(request)
        data = sorted(self._union(request).values(), key=lambda model: str(model["id"]))
        return _json({"object": "list", "data": data})

    def retrieve(self, request: Request, name: str) -> Reply:
        self.auth.identify(request)
        model = self._union(request).get(name)
        if model is None:
            message = f"The model '{name}' does not exist or you do not have access to it."
            raise ModelNotFound(message, param="model")
        return _json(model)

    def _union(self, request: Request) -> dict[str, Model]:
        """By name; where two targets serve one, the first of the configuration speaks for it."""
        if "all" not in self.kept:
            every = [
                model
                for step, target in self.routing.each()
                for model in self._of(step, target, request)
            ]
            self.kept["all"] = {str(model["id"]): model for model in reversed(every)}
        return self.kept["all"]

    def _of(self, step: Step, target: Target, request: Request) -> Iterator[Model]:
        for name in target.models:
            if "*" not in name:
                yield {"id": name, "object": "model", "created": 0, "owned_by": target.provider}
        if any("*" in name for name in target.models):
            offered = self._offered(step, request)
            yield from (m for m in offered if target.upstream_model(str(m.get("id"))))

    def _offered(self, step: Step, request: Request) -> list[Model]:
        """A target's own list, for patterns such as gpt-*; nothing where it does not answer."""
        plain = replace(request, method="GET", query="", body=b"")
        try:
            answer = self.relay.send(step, plain, Call("/models"))
            data = read(answer.whole).get("data") if answer.status == 200 else None  # noqa: PLR2004
        except GatewayError:
            data = None
        if not isinstance(data, list):
            logger.warning("models not listed", extra={"target": step.target})
            return []
        return [model for model in data if isinstance(model, dict)]


def _json(value: object) -> Reply:
    return Reply(200, {"content-type": "application/json"}, json.dumps(value).encode())


def router(models: Models, receive: Receiver) -> Router:
    return routed(
        receive,
        ("GET", "/models", models.every),
        ("GET", "/models/<name>", models.retrieve),
    )
