"""The start report in terminals of 60, 80 and 120 columns, compared with texts."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from infra.local.gateway import Gateway
from infra.local.options import GatewayOptions, LocalKey
from infra.local.startup_report import print_facts
from infra.local.target_setup import build_target_setup

EXPECTED = Path(__file__).parent / "expected"
DOCUMENT = {
    "targets": {
        "openai": {"provider": "openai", "models": ["gpt-*"]},
        "azure-east": {"provider": "azure", "endpoint": "https://acme.openai.azure.com", "models": {"gpt-5": "x"}},
    }
}  # fmt: skip
GATEWAY = Gateway(
    "http://127.0.0.1:8080/v1",
    "http://127.0.0.1:8081/v1",
    "http://127.0.0.1:40001",
    "http://127.0.0.1:40002",
    40003,
    Path("gateway.json"),
)


def report(width, *, is_terminal=True, **more):
    env = more.pop("env", {})
    setup = build_target_setup(DOCUMENT, {"ANTIPHON_SECRET_AZURE_EAST": "x", **env})
    options = GatewayOptions([LocalKey("local", "key-of-local")], setup, [], env, **more)
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=is_terminal, color_system=None)
    print_facts(console, options, GATEWAY)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


@pytest.mark.parametrize("width", [60, 80, 120])
def test_sentences_are_wrapped_and_what_can_be_copied_is_not(width):
    text = report(width)
    assert text == (EXPECTED / f"start-{width}.txt").read_text()
    for line in text.splitlines():
        assert len(line) <= width or line.startswith("try ")


def test_in_a_file_each_fact_is_one_line():
    lines = report(60, is_terminal=False).splitlines()
    assert len({line[:14] for line in lines}) == len(lines) - 1  # two targets
    assert lines[-1] == "end           with Ctrl-C"


def test_what_stays_and_which_requests_are_printed_depend_on_the_options():
    text = report(120, keep=Path("folder"), env={"POWERTOOLS_LOG_LEVEL": "ERROR"})
    assert "queue stay in folder, but nothing that the simulator stores\n" in text
    assert "requests      not logged with POWERTOOLS_LOG_LEVEL=ERROR\n" in text
