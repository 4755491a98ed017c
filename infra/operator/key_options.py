"""What the commands for keys share: the argument KEY, the keyring, and options for limits."""

import functools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Concatenate, get_args

import click
from pydantic import ValidationError

from antiphon.settings.config import Limits
from antiphon.settings.section import Period
from antiphon.store.key_terms import KeyringError
from antiphon.store.keyring import Keyring, NoSuchKey
from infra.operator.deployment import Deployment, with_deployment
from infra.operator.output import print_message
from infra.operator.param_types import NONE, KeyType, OrNoneType

COUNT = click.IntRange(min=1)
# In the order of --help; each is a field of Limits.
LIMITS: tuple[tuple[str, click.ParamType, str], ...] = (
    ("rpm", COUNT, "Requests per minute."),
    ("tpm", COUNT, "Tokens per minute."),
    ("streams", COUNT, "Concurrent responses."),
    ("max_body_bytes", COUNT, "Size of a request's body in bytes."),
    ("max_output_tokens", COUNT, "Output tokens that a request may set as its maximum."),
    (
        "budget_usd",
        click.FloatRange(min=0, min_open=True),
        "US dollars per budget period.",
    ),
    (
        "budget_period",
        click.Choice(get_args(Period.__value__)),
        "Calendar days or months, in UTC.  [default: month]",
    ),
    ("max_files", COUNT, "Files that are stored at the same time."),
    ("max_file_bytes", COUNT, "Bytes of all stored files together."),
    ("max_vector_stores", COUNT, "Vector stores that are stored at the same time."),
    ("max_containers", COUNT, "Containers that run at the same time."),
    (
        "files_target",
        click.STRING,
        "Where it makes files and stores, unless ids decide.  [default: as its tenant]",
    ),
    (
        "policy",
        click.STRING,
        "A policy of gateway.toml that holds beside that of its tenant.  [default: none]",
    ),
)

key_argument = click.argument("key", type=KeyType())


def with_keyring[**P, R](
    command: Callable[Concatenate[Deployment, Keyring, P], R],
) -> Callable[..., R]:
    """Add what `with_deployment` adds, and the Keyring as second argument."""

    @functools.wraps(command)
    def run(deployment: Deployment, *args: Any, **options: Any) -> R:
        try:
            keyring = Keyring(deployment.table, find_operator=deployment.find_operator)
            return command(deployment, keyring, *args, **options)
        except NoSuchKey as exc:
            hint = f"`antiphon keys list --all` lists those of {deployment.name}."
            raise click.ClickException(f"{exc} {hint}") from exc
        except KeyringError as exc:
            raise click.ClickException(str(exc)) from exc

    return with_deployment(run)


def limit_options[R](command: Callable[..., R]) -> Callable[..., R]:
    """Add an option for each limit to a click command, as the argument `limits`."""

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> R:
        values = {name: options.pop(name) for name, _, _ in LIMITS}
        return command(*args, limits=_parse_limits(values), **options)

    added = [
        click.option(_option_name(name), type=type, help=_with_default(help))
        for name, type, help in LIMITS
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(added), run)


def limit_change_options[R](command: Callable[..., R]) -> Callable[..., R]:
    """Add an option for each limit, as the argument `limits`: those that are named; None removes.

    A budget period is not removed by itself: every budget has one.
    """

    @functools.wraps(command)
    def run(*args: Any, **options: Any) -> R:
        values = {name: value for name, _, _ in LIMITS if (value := options.pop(name)) is not None}
        set_values = {name: value for name, value in values.items() if value != NONE}
        _check_values(set_values)
        return command(*args, limits={n: set_values.get(n) for n in values}, **options)

    added = [
        click.option(
            _option_name(name),
            type=type if name == "budget_period" else OrNoneType(type),
            help=help.partition("  [")[0] + "  [default: unchanged]",
        )
        for name, type, help in LIMITS
    ]
    return functools.reduce(lambda wrapped, option: option(wrapped), reversed(added), run)


def check_names(deployment: Deployment, limits: Mapping[str, Any]) -> None:
    """Raise UsageError for a target or a policy that does not exist; unknown ones pass."""
    if (target := limits.get("files_target")) is not None:
        deployment.check_target("--files-target", target)
    if (policy := limits.get("policy")) is not None:
        deployment.check_policy("--policy", policy)


def warn_of_unserved(deployment: Deployment, models: Collection[str]) -> list[str]:
    """Return the models that no target serves, and warn of them."""
    if deployment.key_settings is None:
        return []
    unserved = deployment.key_settings.unserved(models)
    if unserved:
        print_message(
            f"Warning: no target of {deployment.name} serves {', '.join(unserved)}. "
            f"It serves {', '.join(deployment.key_settings.models)}."
        )
    return unserved


def flatten_models(models: Sequence[Sequence[str]]) -> tuple[str, ...] | None:
    """Join the values of a repeated option without duplicates; None if there are none."""
    return tuple(dict.fromkeys(model for group in models for model in group)) or None


def _parse_limits(values: dict[str, Any]) -> Limits:
    given = {name: value for name, value in values.items() if value is not None}
    if "budget_period" in given and "budget_usd" not in given:
        raise click.UsageError("--budget-period goes with --budget-usd.")
    return _check_values(given)


def _check_values(given: dict[str, Any]) -> Limits:
    try:
        return Limits.model_validate(given)
    except ValidationError as exc:
        raise click.UsageError("\n".join(_error_lines(exc))) from exc


def _error_lines(exc: ValidationError) -> Iterator[str]:
    for error in exc.errors():
        yield f"{_option_name(str(error['loc'][0]))}: {error['msg']}"


def _with_default(help: str) -> str:
    return help if "[default: " in help else f"{help}  [default: no limit]"


def _option_name(name: str) -> str:
    return f"--{name.replace('_', '-')}"
