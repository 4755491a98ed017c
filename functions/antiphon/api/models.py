"""/models: the models that a key may call, in OpenAI's format."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools.event_handler.api_gateway import Router
from cachetools import TLRUCache

from antiphon.errors import GatewayError, ModelNotFound
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.limits.admission import Gate
from antiphon.observability import logger
from antiphon.providers.provider import Candidate
from antiphon.routing import MODEL_NOT_FOUND, Routing
from antiphon.settings.config import Target
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest

# Keys of the cache: a list to which every target contributed, or one where some did not answer.
COMPLETE = "complete"
PARTIAL = "partial"
COMPLETE_SECONDS = 300.0
PARTIAL_SECONDS = 30.0
PROVIDER_TIMEOUT_SECONDS = 5.0

type Model = dict[str, Any]


@dataclass(frozen=True)
class Models:
    gate: Gate
    routing: Routing
    upstream: UpstreamClient
    cache: TLRUCache[str, dict[str, Model]] = field(
        default_factory=lambda: TLRUCache(2, _expires_at)
    )

    def list_all(self, request: Request) -> Reply:
        caller = self.gate.admit(request)
        models = sorted(self._models_by_name(request).items())
        data = [model for name, model in models if caller.may_call(name)]
        return _json_reply({"object": "list", "data": data})

    def retrieve(self, request: Request, name: str) -> Reply:
        caller = self.gate.admit(request)
        model = self._configured_models().get(name) or self._models_by_name(request).get(name)
        if model is None or not caller.may_call(name):
            raise ModelNotFound(MODEL_NOT_FOUND.format(name), param="model")
        return _json_reply(model)

    def _models_by_name(self, request: Request) -> dict[str, Model]:
        """Return the models of all targets; of equal names that of the first configured target."""
        cached = self.cache.get(COMPLETE) or self.cache.get(PARTIAL)
        if cached is not None:
            return cached
        listings = [
            (target, self._provider_models(candidate, target, request))
            for candidate, target in self.routing.configured()
        ]
        by_name: dict[str, Model] = {}
        for target, listed in listings:
            for model in _served_models(target, listed or []):
                by_name.setdefault(str(model["id"]), model)
        is_complete = all(listed is not None for _, listed in listings)
        self.cache[COMPLETE if is_complete else PARTIAL] = by_name
        return by_name

    def _configured_models(self) -> dict[str, Model]:
        """Return the models that the configuration names without a pattern, calling no provider."""
        return {
            model["id"]: model
            for _, target in self.routing.configured()
            for model in _served_models(target, [])
        }

    def _provider_models(
        self, candidate: Candidate, target: Target, request: Request
    ) -> list[Model] | None:
        """Return a provider's own list, if patterns such as gpt-* need it; None if that failed."""
        if not any("*" in name for name in target.models):
            return []
        upstream = UpstreamRequest(
            "GET",
            "/models",
            headers=request.headers,
            ends_at=request.ends_at,
            timeout_seconds=PROVIDER_TIMEOUT_SECONDS,
            metrics=request.metrics,
        )
        try:
            data = self.upstream.send([candidate], upstream).members.get("data")
        except GatewayError:
            data = None
        if isinstance(data, list):
            return [model for model in data if isinstance(model, dict)]
        logger.warning("models not listed", extra={"target": candidate.target})
        return None


def models_router(models: Models, reader: RequestReader) -> Router:
    return build_router(
        reader,
        ("GET", "/models", models.list_all),
        ("GET", "/models/<name>", models.retrieve),
    )


def _served_models(target: Target, listed: list[Model]) -> Iterator[Model]:
    """Yield the models that a target names, then those of its provider that match a pattern."""
    for name in target.models:
        if "*" not in name:
            yield {"id": name, "object": "model", "created": 0, "owned_by": target.provider}
    yield from (model for model in listed if target.upstream_model(str(model.get("id"))))


def _expires_at(key: str, _: object, now: float) -> float:
    return now + (COMPLETE_SECONDS if key == COMPLETE else PARTIAL_SECONDS)


def _json_reply(value: object) -> Reply:
    return Reply(200, {"content-type": "application/json"}, json.dumps(value).encode())
