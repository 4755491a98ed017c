"""Which requests are printed: options of the commands, and what they match."""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from antiphon.settings.targets import matches_pattern
from infra.operator.param_types import TenantType
from infra.traffic.record import RequestRecord

_STATUS = re.compile(r"[1-5](?:xx|\d\d)")


class StatusType(click.ParamType):
    """A status such as 429, or a class such as 4xx."""

    name = "status"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).lower()
        if not _STATUS.fullmatch(text):
            self.fail(
                f"{value!r} is neither a status such as 429 nor a class such as 4xx.", param, ctx
            )
        return text


@dataclass(frozen=True, kw_only=True)
class RequestFilter:
    """Matches a request that has all that is named; None names nothing."""

    tenant: str | None = None
    key: str | None = None  # the id of a key, or its beginning
    model: str | None = None  # a name, or a pattern with one *
    target: str | None = None
    status: tuple[str, ...] = ()
    errors: bool = False

    def matches(self, record: RequestRecord) -> bool:
        return (
            self.tenant in {None, record.tenant}
            and self.target in {None, record.target}
            and (self.key is None or (record.key_id or "").startswith(self.key))
            and (self.model is None or matches_pattern(self.model, record.model or ""))
            and (not self.status or any(self._has_status(record, each) for each in self.status))
            and (record.is_error or not self.errors)
        )

    @staticmethod
    def _has_status(record: RequestRecord, wanted: str) -> bool:
        status = str(record.status or 502)
        return status == wanted or (wanted.endswith("xx") and status[0] == wanted[0])


_OPTIONS = (
    click.option(
        "--tenant", type=TenantType(), help="Only requests of this tenant.  [default: all]"
    ),
    click.option(
        "--key", help="Only those with this key: its id, or the beginning of it.  [default: all]"
    ),
    click.option(
        "--model",
        help="Only those for this model: a name, or a pattern with one *.  [default: all]",
    ),
    click.option("--target", help="Only those that this target answered.  [default: all]"),
    click.option(
        "--status",
        type=StatusType(),
        multiple=True,
        help="Only those with this status: 429, or 4xx. May be repeated.  [default: all]",
    ),
    click.option(
        "--errors",
        is_flag=True,
        help="Only refusals, and responses that did not end as they should.",
    ),
)


def filter_options[R](command: Callable[..., R]) -> Callable[..., R]:
    """Add the options to a click command, as the argument `wanted`."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> R:
        named = {name: options.pop(name) for name in RequestFilter.__dataclass_fields__}
        return command(*args, wanted=RequestFilter(**named), **options)

    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(_OPTIONS), run)
