"""The command `antiphon doctor`: its options, its help and its exit status."""

import os
import re
import ssl
import sys
from typing import Any
from urllib.parse import urlsplit

import certifi
import click
import httpx
from rich.console import Console

from infra.doctor.checklist import NOT_VISIBLE, Check, run_checks, select_checks
from infra.doctor.report import Report, print_not_visible, print_report, to_json
from infra.doctor.session import NoModelError, Plan, Session

CONNECT_SECONDS = 10
KEY_FORMAT = re.compile(r"[!-~]+")
KEY_VARIABLES = ("ANTIPHON_KEY", "OPENAI_API_KEY")
API_PREFIXES = ("/v1", "/openai/v1", "/openai")
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}


class DoctorCommand(click.Command):
    """Its help ends with what a client cannot see."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Not visible to a client; check yourself"):
            formatter.write_dl([(str(n), text) for n, text in enumerate(NOT_VISIBLE, 1)])
        super().format_epilog(ctx, formatter)


def normalize_base_url(url: str) -> str:
    """Return the base URL with a prefix of the API; raise ValueError if it is invalid."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url}: give a base URL such as https://HOST/v1.")
    if parts.username or parts.query or parts.fragment:
        raise ValueError(f"{parts.hostname}: give the base URL only, without user or query.")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError(f"{url}: the key would be sent unencrypted. Give the https:// URL.")
    path = parts.path.rstrip("/")
    prefixed = path if path.endswith(API_PREFIXES) else f"{path}/v1"
    return f"{parts.scheme}://{parts.netloc}{prefixed}"


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK_HOSTS


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
@click.argument("urls", metavar="URL...", nargs=-1, required=True, callback=_parse_urls)
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
    """Check a live deployment from where its users are.

    URL is a base URL, with or without /v1; give the Function URL and the URL of the REST API to
    check both. The command creates, streams, abandons, continues and deletes responses, and uploads
    and deletes a file: at most about 10,000 tokens for each URL, about a cent with a small model
    (--long: 16,000 more; --free: none).

    Exit status: 0 no check fails, 1 a check fails, 2 wrong usage.
    """
    plan = _build_plan(options)
    checks = select_checks(free=options["free"], long=options["long"])
    reports = [_check_url(url, plan, checks) for url in urls]
    if as_json:
        click.echo(to_json(reports))
    else:
        _print_reports(reports)
    sys.exit(0 if all(report.holds for report in reports) else 1)


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
    )


def _check_url(url: str, plan: Plan, checks: list[Check]) -> Report:
    status = Console(stderr=True).status(f"{url}: …")

    def on_start(check: Check) -> None:
        status.update(f"{url}: {check.holds} …")

    with _create_client(url, plan) as client, status:
        session = Session(client, plan)
        results = list(run_checks(session, checks, on_start))
    return Report(url, results, _used_model(session), session.tokens)


def _create_client(url: str, plan: Plan) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        timeout=httpx.Timeout(plan.timeout, connect=min(CONNECT_SECONDS, plan.timeout)),
        headers={"user-agent": "antiphon-doctor", "accept-encoding": "identity"},
        trust_env=not is_loopback(url),  # a proxy does not lead back to this machine
        verify=ssl.create_default_context(
            cafile=os.environ.get("SSL_CERT_FILE") or certifi.where()
        ),
    )


def _used_model(session: Session) -> str | None:
    if "models" not in vars(session):  # the run ended before the models were requested
        return session.plan.model
    try:
        return session.model
    except NoModelError:
        return None


def _print_reports(reports: list[Report]) -> None:
    console = Console()
    for report in reports:
        print_report(console, report)
    print_not_visible(console)
