"""The command `antiphon conformance`: its options, its help and its exit status."""

import json
import sys
from collections.abc import Mapping

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from infra.conformance.endpoint import Endpoint, open_client
from infra.conformance.local_gateway import run_local_gateway
from infra.conformance.run import SPECIFICATION, Score, Verdict, run_cases
from infra.doctor.base_url import normalize_base_url
from infra.doctor.session import choose_model

SIMULATED_MODEL = "sim-text"
STYLES: Mapping[Verdict, str] = {"passes": "green", "by design": "yellow", "fails": "bold red"}


def _parse_url(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    try:
        return normalize_base_url(value) if value else None
    except ValueError as exc:
        raise click.BadParameter(str(exc)) from exc


@click.command()
@click.argument("url", required=False, callback=_parse_url)
@click.option(
    "--key",
    envvar=("ANTIPHON_KEY", "OPENAI_API_KEY"),
    help="A key of the gateway. Preferably set ANTIPHON_KEY (else OPENAI_API_KEY) instead.",
)
@click.option("--model", help="For all requests.  [default: a small one of GET /models]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def conformance(url: str | None, key: str | None, model: str | None, *, as_json: bool) -> None:
    """Run the cases of the Open Responses specification against URL, or on this machine.

    Without URL, a gateway is started here for the run, and its models are played by the simulator.
    With URL, about 40 short requests go to your provider, who charges for them.

    Exit status: 0 if no case fails, 1 if one does, 2 for a wrong option.
    """
    if url is None:
        with run_local_gateway() as (local_url, local_key):
            score = _measure(local_url, local_key, model or SIMULATED_MODEL)
    elif key is None:
        raise click.UsageError("URL needs a key: set ANTIPHON_KEY, or give --key.")
    else:
        score = _measure(url, key, model)
    _print(score, as_json=as_json)
    sys.exit(int(score.counts["fails"] > 0))


def _measure(url: str, key: str, model: str | None) -> Score:
    with open_client(url, key) as client:
        if model is None:
            served = client.get("/models").raise_for_status().json()["data"]
            model = choose_model(each["id"] for each in served)
        if model is None:
            raise click.UsageError("GET /models names no text model: give --model.")
        return run_cases(Endpoint(client, model))


def _print(score: Score, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(score.to_json(), indent=2))
        return
    table = Table(title=Text(f"{SPECIFICATION}, {score.model} at {score.url}", "bold"))
    for column in ("", "Case", "What is specified, and what was observed"):
        table.add_column(column)
    for result in score.results:
        lines = [result.requires, result.observed, result.reason]
        verdict = Text(result.verdict, STYLES[result.verdict])
        table.add_row(verdict, result.name, Text("\n".join(line for line in lines if line)))
    console = Console()
    console.print(table)
    console.print(score.sentence, highlight=False)
