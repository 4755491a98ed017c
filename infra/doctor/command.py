"""The command `antiphon doctor`: its options, its help and its exit status."""

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from antiphon.settings.config import ConfigError, load_config
from infra.doctor.base_url import normalize_base_url
from infra.doctor.checklist import NOT_VISIBLE, select_checks
from infra.doctor.checks.bedrock import pick_models
from infra.doctor.report import Report, print_not_visible, print_report, to_json, wrap_command
from infra.doctor.runs import check_stack, check_url
from infra.doctor.session import Plan
from infra.operator.aws_errors import translate_aws_errors
from infra.operator.deployment import default_stage
from infra.operator.stack import open_stack
from infra.project import CONFIG

KEY_FORMAT = re.compile(r"[!-~]+")
KEY_VARIABLES = ("ANTIPHON_KEY", "OPENAI_API_KEY")


class DoctorCommand(click.Command):
    """Its help ends with what a client cannot see."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Not visible to a client; check yourself"):
            formatter.write_dl([(str(n), text) for n, text in enumerate(NOT_VISIBLE, 1)])
        super().format_epilog(ctx, formatter)


def _parse_urls(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> list[str]:
    try:
        return [normalize_base_url(value) for value in values]
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc


def _parse_key(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    key = (_read_stdin() if value == "-" else value or "").strip()
    if value and not KEY_FORMAT.fullmatch(key):
        raise click.BadParameter("a key is one word of printable ASCII")
    return key or None


def _read_stdin() -> str:
    stdin = click.get_text_stream("stdin")
    if stdin.isatty():
        return str(click.prompt("Key", hide_input=True, err=True))
    return stdin.readline()


@click.command(cls=DoctorCommand)
@click.argument("urls", metavar="[URL]...", nargs=-1, callback=_parse_urls)
@click.option("--stage", help="Check the stack of this stage, with your AWS credentials.")
@click.option("--region", help="Its AWS Region.  [default: from your environment or profile]")
@click.option("--profile", help="A profile of your AWS configuration.  [default: AWS_PROFILE]")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    default=CONFIG,
    help="The file that should be deployed, for the check of the stack and of targets of Bedrock.  "
    "[default: gateway.toml]",
)
@click.option(
    "--key",
    envvar=KEY_VARIABLES,
    callback=_parse_key,
    help="A key of the gateway, or - to read it from standard input. Preferably set ANTIPHON_KEY "
    "(else OPENAI_API_KEY) instead: your shell's history stores the command line, and other users "
    "of this machine can see it.",
)
@click.option(
    "--other-key",
    envvar="ANTIPHON_OTHER_KEY",
    callback=_parse_key,
    help="A key of another tenant, which must not find what the first one creates.",
)
@click.option("--model", help="The model to use.  [default: a cheap one of GET /models]")
@click.option("--free", is_flag=True, help="Only the checks that use no tokens and create nothing.")
@click.option(
    "--long",
    is_flag=True,
    help="Also wait for a stream and for a JSON response of at least --long-seconds.",
)
@click.option(
    "--long-seconds",
    type=click.FloatRange(0, 800, min_open=True),
    default=31,
    show_default=True,
    help="Minimum duration of both: proxies often have limits of 29, 30 and 60 s, API Gateway one "
    "of 300 s.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(1, 900),
    default=60,
    show_default=True,
    help="Seconds to wait for each response, and for the end of an abandoned one.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(urls: list[str], *, as_json: bool, **options: Any) -> None:
    """Check a live deployment, from where its users are and in its AWS account.

    URL is a base URL, with or without /v1; give the Function URL and the URL of the REST API to
    check both. The command creates, streams, abandons, continues and deletes responses, and uploads
    and deletes a file: at most about 10,000 tokens for each URL, about a cent with a small model
    (--long: 16,000 more; --free: none). Each target of Bedrock in --config creates a tiny response.

    --stage (or --region, --profile) checks the stack: the account's quota, recursion, event
    sources, secrets, also the one that signs webhooks, the role's permissions at Amazon Bedrock,
    dead letters, the receivers of alarms, active alarms, and whether the local gateway.toml is
    deployed. It reads only, and no secret's value; docs/operator-policy.json has the permissions.
    Give URLs as well to check both sides.

    Exit status: 0 no check fails, 1 a check fails, 2 wrong usage.
    """
    is_of_stack = any(options[name] is not None for name in ("stage", "region", "profile"))
    if not urls and not is_of_stack:
        raise click.UsageError("Give a base URL, or --stage to check a stack, or both.")
    reports = _check_stack(options) if is_of_stack else []
    reports += _check_urls(urls, options)
    if as_json:
        click.echo(to_json(reports))
    else:
        _print_reports(reports)
    sys.exit(0 if all(report.holds for report in reports) else 1)


def _check_stack(options: dict[str, Any]) -> list[Report]:
    with translate_aws_errors():
        stack = open_stack(
            options["stage"] or default_stage(), options["region"], options["profile"]
        )
    return [check_stack(stack, options["config"])]


def _check_urls(urls: list[str], options: dict[str, Any]) -> list[Report]:
    if not urls:
        return []
    plan = _build_plan(options)
    checks = select_checks(free=options["free"], long=options["long"])
    return [check_url(url, plan, checks) for url in urls]


def _build_plan(options: dict[str, Any]) -> Plan:
    if options["key"] is None:
        raise click.UsageError(
            f"A key of the gateway is needed: set {KEY_VARIABLES[0]}, or give --key - and the key "
            "on standard input. `antiphon keys create` creates one."
        )
    return Plan(
        key=options["key"],
        other_key=options["other_key"],
        model=options["model"],
        timeout=options["timeout"],
        long=options["long_seconds"],
        bedrock=_pick_bedrock_models(options["config"]),
    )


def _pick_bedrock_models(config: Path) -> Mapping[str, str | None]:
    try:
        return pick_models(load_config(config).targets)
    except ConfigError:  # the check of the stack reports it; a URL may be that of another gateway
        return {}


def _print_reports(reports: list[Report]) -> None:
    console = Console()
    for report in reports:
        print_report(console, report)
    if any(report.kind == "url" for report in reports):
        print_not_visible(console)
    else:
        urls = " ".join(url for report in reports for url in report.base_urls)
        console.print(Text("\n# To check it as its users see it, with a key in ANTIPHON_KEY:"))
        for line in wrap_command(f"antiphon doctor {urls}"):
            console.print(Text(line), soft_wrap=True)
