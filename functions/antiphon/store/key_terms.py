"""What a key permits, and how an operator changes that; each change leaves a text for people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any, Self

from antiphon.settings.config import UNLIMITED, Limits
from antiphon.store.keys import ApiKey


class KeyringError(Exception):
    """An operation was refused; the message says why and contains no key."""


@dataclass(frozen=True, kw_only=True)
class KeyTerms:
    """What a key permits, whoever has it."""

    tenant: str
    name: str | None = None
    models: tuple[str, ...] | None = None  # names and patterns; None allows all
    limits: Limits = UNLIMITED
    ends_at: int | None = None  # epoch seconds

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(**{f.name: getattr(key, f.name) for f in fields(cls)})

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes of a key's row; None for one that the row does not have."""
        return {
            "name": self.name,
            "models": self.models,
            "limits": self.limits.model_dump(exclude_defaults=True) or None,
            "ends_at": self.ends_at,
        }

    def changes_to(self, new: Self) -> list[str]:
        """Return what is different in the new terms, each as `rpm 60 -> 100`."""
        before, after = dict(self._texts()), dict(new._texts())
        return [
            f"{name} {before.get(name, 'none')} -> {after.get(name, 'none')}"
            for name in {**before, **after}
            if before.get(name) != after.get(name)
        ]

    def _texts(self) -> Iterator[tuple[str, str]]:
        if self.models is not None:
            yield "models", ",".join(self.models)
        if self.ends_at is not None:
            yield "expires", datetime.fromtimestamp(self.ends_at, UTC).isoformat()
        limits = self.limits.model_dump(exclude_none=True)
        if self.limits.budget_usd is None:
            del limits["budget_period"]
        for name, value in limits.items():
            yield name.replace("_", "-"), _format(value)


@dataclass(frozen=True)
class KeyRevision:
    """What an operator changes: the named values become these, all others stay. None removes one.

    Counters are named by the key's id, so they are the same under the new limits.
    """

    limits: Mapping[str, Any] = field(default_factory=dict)  # by the fields of Limits
    terms: Mapping[str, Any] = field(default_factory=dict)  # of `models` and `ends_at`

    def apply(self, terms: KeyTerms) -> KeyTerms:
        """Raise KeyringError for a budget period without a budget."""
        values = {**terms.limits.model_dump(exclude_defaults=True), **self.limits}
        limits = Limits(**{name: value for name, value in values.items() if value is not None})
        if limits.budget_usd is None and "budget_period" in self.limits:
            raise KeyringError("A budget period needs a budget: set both.")
        if limits.budget_usd is None:
            limits = limits.model_copy(update={"budget_period": UNLIMITED.budget_period})
        return replace(terms, limits=limits, **self.terms)


def _format(value: object) -> str:
    """Return a limit as text; dollars have no exponent, and at most nine decimals."""
    return f"{value:.9f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
