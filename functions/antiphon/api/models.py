"""/models: what the gateway serves, in OpenAI's shape."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router
from cachetools import TLRUCache

from antiphon.auth import Auth
from antiphon.errors import GatewayError, ModelNotFound
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.observability import logger
from antiphon.providers.provider import Candidate
from antiphon.recording.reading import read_object
from antiphon.routing import NO_MODEL, Routing
from antiphon.settings.config import Target
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest

ALL = "all"
PARTIAL = "part"  # the same, where a target did not answer
CACHE_SECONDS = 300.0  # how long the targets' own lists are taken for the newest
LIST_SECONDS = 5.0  # seconds for a target to list its models

type Model = dict[str, Any]


@dataclass(frozen=True)
class Models:
    auth: Auth
    routing: Routing
    relay: UpstreamClient
    kept: TLRUCache[str, dict[str, Model]] = field(
        default_factory=lambda: TLRUCache(2, _cache_until)
    )

    def every(self, request: Request) -> Reply:
        caller = self.auth.identify(request)
        every = sorted(self._union(request).items())
        data = [model for name, model in every if caller.may_call(name)]
        return _json({"object": "list", "data": data})

    def retrieve(self, request: Request, name: str) -> Reply:
        caller = self.auth.identify(request)
        model = self._named().get(name) or self._union(request).get(name)
        if model is None or not caller.may_call(name):
            raise ModelNotFound(NO_MODEL.format(name), param="model")
        return _json(model)

    def _union(self, request: Request) -> dict[str, Model]:
        """By name; where two targets serve one, the first of the configuration speaks for it."""
        known = self.kept.get(ALL) or self.kept.get(PARTIAL)
        if known is not None:
            return known
        offers = [
            (target, self._offered(step, target, request)) for step, target in self.routing.each()
        ]
        every = [
            model for target, offered in offers for model in _served_models(target, offered or [])
        ]
        union = {str(model["id"]): model for model in reversed(every)}
        complete = all(offered is not None for _, offered in offers)
        self.kept[ALL if complete else PARTIAL] = union
        return union

    def _named(self) -> dict[str, Model]:
        """What the configuration names outright, for which nobody need be asked."""
        return {
            model["id"]: model for _, t in self.routing.each() for model in _served_models(t, [])
        }

    def _offered(self, step: Candidate, target: Target, request: Request) -> list[Model] | None:
        """A target's own list, for patterns such as gpt-*; None where it does not answer."""
        if not any("*" in name for name in target.models):
            return []
        plain = replace(request, method="GET", query="", body=b"")
        call = UpstreamRequest("/models", patience=LIST_SECONDS)
        try:
            data = read_object(self.relay.send([step], plain, call).whole).get("data")
        except GatewayError:
            data = None
        if isinstance(data, list):
            return [model for model in data if isinstance(model, dict)]
        logger.warning("models not listed", extra={"target": step.target})
        return None


def _served_models(target: Target, offered: list[Model]) -> Iterator[Model]:
    for name in target.models:
        if "*" not in name:
            yield {"id": name, "object": "model", "created": 0, "owned_by": target.provider}
    yield from (model for model in offered if target.upstream_model(str(model.get("id"))))


def _cache_until(key: str, _: object, now: float) -> float:
    return now + (CACHE_SECONDS if key == ALL else CACHE_SECONDS / 10)


def _json(value: object) -> Reply:
    return Reply(200, {"content-type": "application/json"}, json.dumps(value).encode())


def router(models: Models, receive: RequestReader) -> Router:
    return build_router(
        receive,
        ("GET", "/models", models.every),
        ("GET", "/models/<name>", models.retrieve),
    )
