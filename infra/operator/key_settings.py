"""What `gateway.toml` of an installation says about keys: models, limits of tenants, policies.

Commands know it by the stack's outputs, so they need no copy of the file.
"""

import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from antiphon.settings.config import UNLIMITED, Config, Limits
from antiphon.settings.targets import matches_pattern

OUTPUT = "KeySettings"
OUTPUT_CHARS = 1_000  # in one output; more continues in the next one


@dataclass(frozen=True)
class KeySettings:
    models: tuple[str, ...]  # public names, and patterns with one *
    tenants: Mapping[str, Limits]
    policies: tuple[str, ...] | None = None  # their names; None if an older version is deployed

    @classmethod
    def of(cls, config: Config) -> Self:
        models = (model for target in config.targets.values() for model in target.models)
        return cls(tuple(dict.fromkeys(models)), config.tenants, tuple(config.policies))

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        tenants = {name: Limits(**limits) for name, limits in document["tenants"].items()}
        policies = document.get("policies")
        names = None if policies is None else tuple(policies)
        return cls(tuple(document["models"]), tenants, names)

    @classmethod
    def from_outputs(cls, outputs: Mapping[str, str]) -> Self | None:
        """Return what the outputs of a stack contain; None for a stack of an older version."""
        names = itertools.takewhile(outputs.__contains__, _output_names())
        text = "".join(outputs[name] for name in names)
        return cls.from_json(json.loads(text)) if text else None

    def to_json(self) -> dict[str, Any]:
        dumped = {n: each.model_dump(exclude_defaults=True) for n, each in self.tenants.items()}
        return {"models": [*self.models], "tenants": dumped, "policies": [*(self.policies or ())]}

    def to_outputs(self) -> Iterator[tuple[str, str]]:
        """Yield the names and the values of the outputs."""
        text = json.dumps(self.to_json(), separators=(",", ":"))
        parts = map("".join, itertools.batched(text, OUTPUT_CHARS, strict=False))
        return zip(_output_names(), parts, strict=False)

    def limits_of(self, tenant: str) -> Limits:
        return self.tenants.get(tenant, UNLIMITED)

    def unserved(self, models: Iterable[str]) -> list[str]:
        """Return the names and patterns of a key that match no model of any target."""
        return [each for each in models if not any(_overlap(each, own) for own in self.models)]


def _output_names() -> Iterator[str]:
    yield OUTPUT
    for number in itertools.count(2):
        yield f"{OUTPUT}{number}"


def _overlap(one: str, other: str) -> bool:
    """Whether a model's name can match both; each is a name, or a pattern with one *."""
    if "*" not in one:
        return matches_pattern(other, one)
    if "*" not in other:
        return matches_pattern(one, other)
    (head, _, tail), (other_head, _, other_tail) = one.partition("*"), other.partition("*")
    heads, tails = sorted((head, other_head), key=len), sorted((tail, other_tail), key=len)
    return heads[1].startswith(heads[0]) and tails[1].endswith(tails[0])
