"""What the commands about keys take."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Concatenate, get_args

import click
from pydantic import TypeAdapter, ValidationError

from antiphon.settings.config import Limits, Period, TenantName
from antiphon.store.keyring import Keyring, KeyringError, NoSuchKey
from infra.operator.deployment import Deployment, about_deployment

LONGEST_NAME = 100
COUNT = click.IntRange(min=1)
# In the order of the help; each is a field of Limits.
LIMITS: tuple[tuple[str, click.ParamType, str], ...] = (
    ("rpm", COUNT, "Requests a minute."),
    ("tpm", COUNT, "Tokens a minute."),
    ("streams", COUNT, "Responses in flight at once."),
    ("max_body_bytes", COUNT, "Bytes of a request's body."),
    ("max_output_tokens", COUNT, "Output tokens that a request may ask for."),
    (
        "budget_usd",
        click.FloatRange(min=0, min_open=True),
        "US dollars to spend in a budget period.",
    ),
    (
        "budget_period",
        click.Choice(get_args(Period.__value__)),
        "Calendar days or months, in UTC.  [default: month]",
    ),
)


class Tenant(click.ParamType):
    name = "tenant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return TypeAdapter(TenantName).validate_python(value)
        except ValidationError:
            self.fail(f"{value!r} is not 1 to 64 characters of A-Z a-z 0-9 _ . -", param, ctx)


class Name(click.ParamType):
    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text: str = value
        if not (text.isprintable() and 0 < len(text) <= LONGEST_NAME):
            self.fail(f"it must be 1 to {LONGEST_NAME} printable characters.", param, ctx)
        return text


class Models(click.ParamType):
    """Names and patterns, parted by commas."""

    name = "models"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[str]:
        models = [part.strip() for part in value.split(",")]
        for model in models:
            if not model or not model.isprintable() or " " in model:
                self.fail(f"{model!r} is no name of a model.", param, ctx)
            if model.count("*") > 1:
                self.fail(f"{model!r}: a pattern has one * at most, as in gpt-5*.", param, ctx)
        return models


class NamedKey(click.ParamType):
    """A key's id, the beginning of one, or the key itself."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        given: str = _from_stdin() if value == "-" else value
        if not given:
            self.fail("there is no key on standard input.", param, ctx)
        return given


def _from_stdin() -> str:
    stdin = click.get_text_stream("stdin")
    if stdin.isatty():
        return str(click.prompt("Key", hide_input=True, err=True)).strip()
    return stdin.readline().strip()


named_key = click.argument("key", type=NamedKey())


def about_keys[**P, R](
    command: Callable[Concatenate[Deployment, Keyring, P], R],
) -> Callable[..., R]:
    """As `about_deployment`, with the Keyring as second argument."""

    @functools.wraps(command)
    def run(deployment: Deployment, *args: Any, **given: Any) -> R:
        try:
            return command(deployment, Keyring(deployment.table), *args, **given)
        except NoSuchKey as exc:
            hint = f"`antiphon keys list --all` shows those of {deployment.name}."
            raise click.ClickException(f"{exc} {hint}") from exc
        except KeyringError as exc:
            raise click.ClickException(str(exc)) from exc

    return about_deployment(run)


def limit_options[R](command: Callable[..., R]) -> Callable[..., R]:
    """Give a click command the argument `limits`, made of an option for each of them."""

    @functools.wraps(command)
    def run(*args: Any, **given: Any) -> R:
        chosen = {name: given.pop(name) for name, _, _ in LIMITS}
        return command(*args, limits=_limits(chosen), **given)

    options = [click.option(_flag(name), type=type, help=help) for name, type, help in LIMITS]
    return functools.reduce(lambda made, option: option(made), reversed(options), run)


def _limits(chosen: dict[str, Any]) -> Limits:
    given = {name: value for name, value in chosen.items() if value is not None}
    if "budget_period" in given and "budget_usd" not in given:
        raise click.UsageError("--budget-period goes with --budget-usd.")
    try:
        return Limits.model_validate(given)
    except ValidationError as exc:
        raise click.UsageError("\n".join(_complaints(exc))) from exc


def _complaints(exc: ValidationError) -> Iterator[str]:
    for error in exc.errors():
        yield f"{_flag(str(error['loc'][0]))}: {error['msg']}"


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def flat(models: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """All models of a repeated option, each once; None where there are none."""
    return tuple(dict.fromkeys(model for some in models for model in some)) or None
