"""The command `antiphon doctor`: its options, its help, and how it ends."""

import os
import re
import ssl
import sys
from typing import Any

import certifi
import click
import httpx
from rich.console import Console

from infra.doctor import address, report
from infra.doctor.examination import examine
from infra.doctor.report import Report
from infra.doctor.session import NoModel, Plan, Session
from infra.doctor.table import NOT_SEEN_FROM_HERE, Check, chosen

CONNECT_SECONDS = 10
KEY = re.compile(r"[!-~]+")
VARIABLES = ("ANTIPHON_KEY", "OPENAI_API_KEY")


class Doctor(click.Command):
    """Its help ends with what cannot be seen from outside."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Not to be seen from outside, so look yourself"):
            formatter.write_dl([(str(n), text) for n, text in enumerate(NOT_SEEN_FROM_HERE, 1)])
        super().format_epilog(ctx, formatter)


def _url(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> list[str]:
    try:
        return [address.base(each) for each in given]
    except address.BadAddress as exc:
        raise click.BadParameter(str(exc)) from exc


def _key(_ctx: click.Context, _param: click.Parameter, given: str | None) -> str | None:
    key = (_from_stdin() if given == "-" else given or "").strip()
    if given and not KEY.fullmatch(key):
        raise click.BadParameter("a key is one word of printable ASCII")
    return key or None


def _from_stdin() -> str:
    stdin = click.get_text_stream("stdin")
    if stdin.isatty():
        return str(click.prompt("Key", hide_input=True, err=True))
    return stdin.readline()


@click.command(cls=Doctor)
@click.argument("urls", metavar="URL...", nargs=-1, required=True, callback=_url)
@click.option(
    "--key",
    envvar=VARIABLES,
    callback=_key,
    help="A key of the gateway, or - to read it from standard input. Better in the environment, as "
    "ANTIPHON_KEY (else OPENAI_API_KEY): on the command line your shell's history keeps it, and "
    "others on this machine see it.",
)
@click.option(
    "--other-key",
    envvar="ANTIPHON_OTHER_KEY",
    callback=_key,
    help="A key of another tenant, which must not find what the first one makes.",
)
@click.option("--model", help="The model to ask.  [default: a cheap one of GET /models]")
@click.option("--free", is_flag=True, help="Only what costs no tokens.")
@click.option(
    "--long", is_flag=True, help="Hold a stream open for more than --long-seconds as well."
)
@click.option(
    "--long-seconds",
    type=click.FloatRange(0, 800, min_open=True),
    default=31,
    show_default=True,
    help="How long a long stream has to take: limits of 29 and 30 s are common on the way.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(1, 900),
    default=60,
    show_default=True,
    help="Seconds to wait for each answer, and for a response that was left to be on record.",
)
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output, for machines.")
def doctor(urls: list[str], *, as_json: bool, **options: Any) -> None:
    """Check a live deployment from where its users are.

    URL is a base URL, with or without /v1; give both, of the Function URL and of the REST API, to
    have both checked. Responses are created, streamed, left, continued and deleted again: some
    8,000 tokens at most for each URL, well under a cent with a small model (--long: 8,000 more;
    --free: none).

    Exit status: 0 all that was checked holds, 1 something does not, 2 wrong usage.
    """
    plan, checks = _plan(options), chosen(free=options["free"], long=options["long"])
    reports = [_examined(url, plan, checks) for url in urls]
    if as_json:
        click.echo(report.written(reports))
    else:
        _show(reports)
    sys.exit(0 if all(each.holds for each in reports) else 1)


def _plan(options: dict[str, Any]) -> Plan:
    if options["key"] is None:
        raise click.UsageError(
            f"A key of the gateway is needed: set {VARIABLES[0]}, or give --key - and the key on "
            "standard input. `antiphon keys create` makes one."
        )
    return Plan(
        key=options["key"],
        other_key=options["other_key"],
        model=options["model"],
        patience=options["timeout"],
        long=options["long_seconds"],
    )


def _examined(url: str, plan: Plan, checks: list[Check]) -> Report:
    status = Console(stderr=True).status(f"{url}: …")

    def begin(check: Check) -> None:
        status.update(f"{url}: {check.holds} …")

    with _client(url, plan) as client, status:
        session = Session(client, plan)
        rows = list(examine(session, checks, begin))
    return Report(url, rows, _model(session), session.tokens)


def _client(url: str, plan: Plan) -> httpx.Client:
    return httpx.Client(
        base_url=url,
        timeout=httpx.Timeout(plan.patience, connect=min(CONNECT_SECONDS, plan.patience)),
        headers={"user-agent": "antiphon-doctor", "accept-encoding": "identity"},
        trust_env=not address.is_here(url),  # no proxy leads back to this machine
        verify=ssl.create_default_context(
            cafile=os.environ.get("SSL_CERT_FILE") or certifi.where()
        ),
    )


def _model(session: Session) -> str | None:
    if "models" not in vars(session):  # nobody came so far as to ask
        return session.plan.model
    try:
        return session.model
    except NoModel:
        return None


def _show(reports: list[Report]) -> None:
    console = Console()
    for each in reports:
        report.show(console, each)
    report.show_rest(console)
