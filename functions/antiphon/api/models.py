"""/models: the models that a key may call, in OpenAI's format."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlencode

from aws_lambda_powertools.event_handler.api_gateway import Router
from cachetools import TLRUCache

from antiphon.errors import GatewayError, ModelNotFound, UpstreamNotReached
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.limits.admission import Gate
from antiphon.observability import logger
from antiphon.providers.provider import Candidate
from antiphon.routing import MODEL_NOT_FOUND, Routing
from antiphon.settings.targets import Target
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest, UpstreamResponse

COMPLETE_SECONDS = 300.0
PARTIAL_SECONDS = 30.0  # for a list to which some targets did not contribute
PROVIDER_TIMEOUT_SECONDS = 5.0
CACHED_LISTS = 2  # without and with what Codex reads: no caller can have more of them read
CLIENT_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")

type Model = dict[str, Any]


@dataclass(frozen=True)
class ProviderList:
    """What one provider lists; `failure` says why it lists nothing."""

    target: str
    models: Sequence[Model] = ()
    codex_models: Sequence[Model] = ()
    failure: str | None = None


@dataclass(frozen=True)
class ModelList:
    """The models of all targets; of equal names that of the first configured target."""

    by_name: Mapping[str, Model]
    codex_models: Sequence[Model]  # as Codex reads them, with a `slug`
    failures: Mapping[str, str]  # by target

    def not_reached(self) -> UpstreamNotReached:
        """Return the error for a list that would be empty only because providers failed."""
        failures = [f"Target '{target}': {why}" for target, why in self.failures.items()]
        return UpstreamNotReached(" ".join(["The models cannot be listed.", *failures]))


@dataclass(frozen=True, eq=False, repr=False)
class Models:
    gate: Gate
    routing: Routing
    upstream: UpstreamClient
    cache: TLRUCache[bool, ModelList] = field(
        default_factory=lambda: TLRUCache(CACHED_LISTS, _expires_at)
    )

    def list_all(self, request: Request) -> Reply:
        """Return OpenAI's list; a request with `client_version` gets what Codex reads as well.

        Codex uses its own description of a model that no provider describes.
        """
        caller = self.gate.admit(request)
        version = _client_version(request)
        listed = self._listed(request, version)
        if listed.failures and not listed.by_name:
            raise listed.not_reached()
        models = sorted(listed.by_name.items())
        may_reach = partial(self.routing.may_reach, caller=caller)
        data = [model for name, model in models if may_reach(name)]
        described = [m for m in listed.codex_models if may_reach(m["slug"])]
        more = {"models": described} if version else {}
        return _json_reply({"object": "list", "data": data, **more})

    def retrieve(self, request: Request, name: str) -> Reply:
        """Raise UpstreamNotReached where a provider that may have the model did not answer."""
        caller = self.gate.admit(request)
        model = self._configured_models().get(name)
        may_reach = self.routing.may_reach(name, caller)
        if model is None and may_reach:
            model = self._find(request, name)
        if model is None or not may_reach:
            raise ModelNotFound(MODEL_NOT_FOUND.format(name), param="model")
        return _json_reply(model)

    def _find(self, request: Request, name: str) -> Model | None:
        listed = self._listed(request)
        model = listed.by_name.get(name)
        targets = {
            c.target for c, target in self.routing.configured() if target.upstream_model(name)
        }
        if model is None and targets & listed.failures.keys():
            raise listed.not_reached()
        return model

    def _listed(self, request: Request, version: str = "") -> ModelList:
        """Read the lists of all providers, or what was read a short time ago.

        What another version of Codex had read serves this one, too.
        """
        is_codex = bool(version)
        listed = self.cache.get(is_codex)
        if listed is None:
            listed = self.cache[is_codex] = _merge(
                (target, self._provider_list(candidate, target, request, version))
                for candidate, target in self.routing.configured()
            )
        return listed

    def _configured_models(self) -> dict[str, Model]:
        """Return the models that the configuration names without a pattern, calling no provider."""
        return {
            model["id"]: model
            for _, target in self.routing.configured()
            for model in _served_models(target, [])
        }

    def _provider_list(
        self, candidate: Candidate, target: Target, request: Request, version: str
    ) -> ProviderList:
        """Return a provider's own list, if patterns such as gpt-* need it."""
        if not (target.lists_models and any("*" in name for name in target.models)):
            return ProviderList(candidate.target)
        upstream = UpstreamRequest(
            "GET",
            "/models",
            query=urlencode({"client_version": version}) if version else "",
            headers=request.headers,
            ends_at=request.ends_at,
            timeout_seconds=PROVIDER_TIMEOUT_SECONDS,
            metrics=request.metrics,
        )
        try:
            response = self.upstream.send([candidate], upstream)
            failure = f"The provider answered with status {response.status} and no list."
        except GatewayError as exc:
            return _failed(candidate.target, str(exc))
        models, described = _objects(response, "data", "id"), _objects(response, "models", "slug")
        if models is None and described is None:
            return _failed(candidate.target, failure)
        return ProviderList(candidate.target, models or (), described or ())


def models_router(models: Models, reader: RequestReader) -> Router:
    return build_router(
        reader,
        ("GET", "/models", models.list_all),
        ("GET", "/models/<name>", models.retrieve),
    )


def _merge(lists: Iterable[tuple[Target, ProviderList]]) -> ModelList:
    by_name: dict[str, Model] = {}
    described: list[Model] = []
    failures: dict[str, str] = {}
    for target, listed in lists:
        for model in _served_models(target, listed.models):
            by_name.setdefault(model["id"], model)
        described += (m for m in listed.codex_models if target.upstream_model(m["slug"]))
        if listed.failure is not None:
            failures[listed.target] = listed.failure
    return ModelList(by_name, described, failures)


def _client_version(request: Request) -> str:
    """Return the version of Codex that asks, else an empty text."""
    (version, *_) = parse_qs(request.query).get("client_version", [""])
    return version if CLIENT_VERSION.fullmatch(version) else ""


def _failed(target: str, why: str) -> ProviderList:
    logger.warning("models not listed", extra={"target": target, "reason": why})
    return ProviderList(target, failure=why)


def _objects(response: UpstreamResponse, name: str, key: str) -> list[Model] | None:
    """Return the objects of an array that have a text as their key, or None without the array.

    They have all their members, or those that are recorded where Python cannot read the JSON.
    """
    try:
        document = json.loads(response.content, parse_constant=_to_null)
    except (ValueError, RecursionError):
        document = response.members
    value = document.get(name) if isinstance(document, Mapping) else None
    if not isinstance(value, list):
        return None
    return [each for each in value if isinstance(each, dict) and isinstance(each.get(key), str)]


def _to_null(_: str) -> None:
    """Read NaN and Infinity, which are no JSON, as null: they must not become a part of ours."""


def _served_models(target: Target, listed: Sequence[Model]) -> Iterator[Model]:
    """Yield the models that a target names, then those of its provider that match a pattern."""
    for name in target.models:
        if "*" not in name:
            yield {"id": name, "object": "model", "created": 0, "owned_by": target.provider}
    yield from (model for model in listed if target.upstream_model(model["id"]))


def _expires_at(_: object, listed: ModelList, now: float) -> float:
    return now + (PARTIAL_SECONDS if listed.failures else COMPLETE_SECONDS)


def _json_reply(value: object) -> Reply:
    return Reply(200, {"content-type": "application/json"}, json.dumps(value).encode())
