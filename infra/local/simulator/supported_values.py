"""Refuses values that no model supports, and parameters that a model does not support.

The texts are those of OpenAI. A model that is not known to be of one kind or the other supports
all parameters.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.example_models import REASONING_MODELS
from infra.local.simulator.errors import ApiError
from infra.local.simulator.items import Json
from infra.local.simulator.parameters import check_value
from infra.reference.provider_values import INCLUDABLE

OTHER_MODELS = re.compile(r"gpt-[34]|chatgpt-")  # models that do not reason
LOGPROBS = INCLUDABLE[-1]
VALUES: Mapping[str, Sequence[str]] = {  # by the path of the parameter
    "truncation": ("auto", "disabled"),
    "service_tier": ("auto", "default", "flex", "scale", "priority", "fast", "ultrafast"),
    "prompt_cache_retention": ("in_memory", "24h"),
    "reasoning.effort": ("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "reasoning.summary": ("concise", "detailed", "auto"),
    "text.verbosity": ("low", "medium", "high"),
}
FIXED_SAMPLING = ("temperature", "top_p")  # only 1 with reasoning


def check_values(body: Json) -> None:
    """Raise ApiError for the first value that no model supports."""
    for index, value in enumerate(body.get("include") or ()):
        check_value(value, INCLUDABLE, f"include[{index}]")
    for path, supported in VALUES.items():
        check_value(_find(body, path), supported, path)


def check_capabilities(body: Json, model: str) -> None:
    """Raise ApiError for the first parameter that the model does not support."""
    effort = _find(body, "reasoning.effort")
    if OTHER_MODELS.match(model):
        _refuse(_reasoning_parameters(body), "unsupported_parameter")
    elif REASONING_MODELS.match(model) and effort != "none":
        _refuse(_sampling_parameters(body))
        for param in _logprobs_parameters(body):
            message = "logprobs are not supported with reasoning models."
            raise ApiError(400, message, "unsupported_parameter", param)


def _refuse(params: Iterator[str], code: str | None = None) -> None:
    for param in params:
        message = f"Unsupported parameter: '{param}' is not supported with this model."
        raise ApiError(400, message, code, param)


def _reasoning_parameters(body: Json) -> Iterator[str]:
    for name in ("effort", "summary"):
        if _find(body, f"reasoning.{name}") not in {None, "none"}:
            yield f"reasoning.{name}"


def _sampling_parameters(body: Json) -> Iterator[str]:
    for name in FIXED_SAMPLING:
        if body.get(name) not in {None, 1}:
            yield name


def _logprobs_parameters(body: Json) -> Iterator[str]:
    if LOGPROBS in (body.get("include") or ()):
        yield "include"
    if body.get("top_logprobs"):
        yield "top_logprobs"


def _find(body: Json, path: str) -> Any:
    """Return the value at a path such as `reasoning.effort`; None if it is absent."""
    value: Any = body
    for name in path.split("."):
        value = (value or {}).get(name)
    return value
