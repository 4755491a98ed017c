"""The score of Open Responses, and the page that states it."""

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from infra.conformance.command import conformance
from infra.conformance.endpoint import Endpoint
from infra.conformance.local_gateway import run_local_gateway
from infra.conformance.run import BY_DESIGN, CASES, CaseResult, Score, run_cases
from tests.support.concurrency import IS_SOAK
from tests.support.gateway import KEYS, NO_TLS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/compatibility.md"
UNTOUCHED = {"missing-authorization"}  # passes where everything is refused


@pytest.fixture
def printed(played, door):
    """What the command prints as JSON about the gateway of the tests."""
    arguments = [played.base(door), "--key", KEYS["acme"], "--model", "sim-text", "--json"]
    done = CliRunner().invoke(conformance, arguments)
    return done.exit_code, json.loads(done.output)


def test_the_page_states_what_the_command_prints(printed):
    status, report = printed
    results = [CaseResult(**case) for case in report["cases"]]
    assert [case for case in results if case.verdict == "fails"] == []
    assert status == 0
    assert {case.name for case in results if case.verdict == "by design"} == BY_DESIGN.keys()
    text, readme = (" ".join(page.read_text().split()) for page in (PAGE, ROOT / "README.md"))
    sentence = Score(report["url"], report["model"], results).sentence
    assert sentence in text
    assert sentence in readme
    for case in results:
        if case.reason:
            assert f"| `{case.name}` | {case.requires} | {case.reason} |" in text


def answer_with(status, body):
    def respond(_request):
        return httpx.Response(status, json=body)

    transport = httpx.MockTransport(respond)
    return httpx.Client(base_url="http://here/v1", transport=transport, verify=NO_TLS)


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, {}), (401, {"error": {"message": "m", "type": "t", "param": None, "code": None}})],
)
def test_no_case_passes_where_nothing_is_served(status, body):
    with answer_with(status, body) as client:
        score = run_cases(Endpoint(client, "sim-text"))
    passed = {result.name for result in score.results if result.verdict == "passes"}
    assert passed <= UNTOUCHED
    assert len(score.results) == len(CASES)


def test_a_url_needs_a_key():
    done = CliRunner().invoke(conformance, ["https://example.com/v1"], env={"OPENAI_API_KEY": ""})
    assert done.exit_code == 2
    assert "ANTIPHON_KEY" in done.output


@pytest.mark.skipif(not IS_SOAK, reason="starts a gateway of its own: `make soak`")
def test_without_a_url_a_gateway_is_started_and_ended():
    with run_local_gateway() as (url, key):
        headers = {"authorization": f"Bearer {key}"}
        assert httpx.get(f"{url}/models", headers=headers, verify=NO_TLS).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, verify=NO_TLS)
