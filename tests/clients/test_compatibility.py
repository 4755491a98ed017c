"""What each client can do through the gateway: a program for each, which its users could write."""

import json
import re
import runpy
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass

import certifi
import pytest

from infra.local.runtime_api.function import child_environment
from tests.clients.compatibility_page import PAGE, build_tables
from tests.clients.matrix import CAPABILITIES, CLIENTS, CODEX_BINARY, PROGRAMS
from tests.clients.text_events import make_text_events, message
from tests.support.concurrency import IS_SOAK
from tests.support.events import make_response, new_id
from tests.support.gateway import KEYS
from tests.support.provider import encode_response, encode_stream, make_error_script

ANSWER = "You said: Hello"
SECOND_ANSWER = "You said: two (Turn 2; before that you said: one)"
EXPECTED = {
    "create": ANSWER,
    "stream": {"pieces": True, "text": ANSWER},
    "tools": {"call": ["get_weather"], "answer": "The tool answered: snow"},
    "structured": True,
    "previous": SECOND_ANSWER,
    "resent": SECOND_ANSWER,
    "conversation": SECOND_ANSWER,
    "retrieve": ANSWER,
    "delete": "NotFoundError",
    "cancel": "cancelled",
}
MESSAGES = {  # what a user reads at each status, whatever the client adds
    "400": "Input should be less than or equal to",
    "401": "Use a key of this gateway",
    "404": "does not exist or you do not have access to it",
    "429": "Wait a moment.",
}
CODEX_MESSAGES = {**MESSAGES, "400": "Invalid prompt", "429": "429 Too Many Requests"}
PROVIDER_TEXT = "Hello you"
PAGES = PAGE.parent / "clients"
CODE = re.compile(r"(?sm)^```python\n(.*?)^```$")
HEAVY = pytest.mark.skipif(not IS_SOAK, reason="its installation is large: `make clients`")
ALL = [pytest.param(name, marks=HEAVY if client.heavy else ()) for name, client in CLIENTS.items()]


@dataclass(frozen=True)
class Outcome:
    """What a program printed, and how often the provider had each of its inputs."""

    version: str
    cases: dict[str, object]
    counts: Counter[str]


class CountingProvider:
    """Answers by the input: with a 429, a 500, a 503 the first time, or as a model does."""

    def __init__(self):
        self.counts = Counter()

    def choose(self, request):
        for status in (429, 500, 503):
            if f"answer {status}".encode() in request.body:
                return self._answer(status, request)
        return make_error_script(404)

    def _answer(self, status, request):
        self.counts[str(status)] += 1
        if status == 503 and self.counts["503"] > 1:
            return make_answer(request)
        return make_error_script(status, message="Wait a moment.", retry_after_ms="1")


def make_answer(request):
    if json.loads(request.body).get("stream"):
        return (encode_stream(*make_text_events(new_id())),)
    answer = {
        **make_response(new_id(), output=[message(PROVIDER_TEXT)]),
        "created_at": 1,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }
    return (encode_response(json.dumps(answer).encode()),)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """One authority instead of all: a client that loads 150 for itself takes longer than its test."""
    end = "-----END CERTIFICATE-----\n"
    file = tmp_path_factory.mktemp("tls") / "authority.pem"
    file.write_text(certifi.contents().partition(end)[0] + end)
    return str(file)


@pytest.fixture(scope="session")
def outcomes():
    """The outcome of each program that ran: all tests of a client read one."""
    return {}


@pytest.fixture
def outcome(name, outcomes, gateway, played, provider, request):
    if name not in outcomes:
        counting = CountingProvider()
        provider.respond_by(counting.choose)
        there = {"ANTIPHON_BASE": played.url, "ANTIPHON_COUNTED": gateway.url}
        play = request.getfixturevalue("play_here" if CLIENTS[name].is_in_project else "play_apart")
        printed = json.loads(play(CLIENTS[name], {**there, "ANTIPHON_KEY": KEYS["acme"]}))
        outcomes[name] = Outcome(printed["version"], printed["cases"], counting.counts)
    return outcomes[name]


@pytest.fixture
def play_here(monkeypatch, capsys):
    """Runs a program in this process, which has imported its library for other tests."""

    def play(client, environment):
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        _, program, *arguments = client.run_command()
        monkeypatch.setattr(sys, "argv", [program, *arguments])
        monkeypatch.syspath_prepend(PROGRAMS)
        monkeypatch.delitem(sys.modules, "cases", raising=False)  # it reads the environment
        runpy.run_path(program)
        return capsys.readouterr().out

    return play


def read_page(client, folder):
    """The file with the code of the client's page, as its program gets it."""
    if not client.page:
        return {}
    file = folder / "page.py"
    file.write_text("\n".join(CODE.findall((PAGES / client.page).read_text())))
    return {"ANTIPHON_PAGE": str(file)}


@pytest.fixture
def play_apart(certificate, tmp_path):
    """Runs a program in a process of its own."""

    def play(client, environment):
        own = {"ANTIPHON_CODEX": str(CODEX_BINARY), "SSL_CERT_FILE": certificate}
        got = subprocess.run(
            client.run_command(),
            cwd=tmp_path,
            env={**child_environment(), **environment, **own, **read_page(client, tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert got.returncode == 0, f"{got.stderr}\n`make test` and `make clients` install clients."
        return got.stdout

    return play


@pytest.mark.parametrize("name", ALL)
def test_a_client_does_all_that_it_can(name, outcome):
    client = CLIENTS[name]
    wanted = {**EXPECTED, **client.differs}
    assert outcome.version == client.version
    assert outcome.cases.keys() >= CAPABILITIES.keys() - client.missing.keys()
    for case in EXPECTED.keys() - client.missing.keys():
        assert outcome.cases[case] == wanted[case], case
    assert not outcome.cases.keys() & client.missing.keys()


@pytest.mark.parametrize("name", ALL)
def test_a_client_raises_its_own_exception_with_the_gateways_message(name, outcome):
    client = CLIENTS[name]
    errors = outcome.cases["errors"]
    assert tuple(errors[status]["kind"] for status in MESSAGES) == client.errors
    for status, text in (CODEX_MESSAGES if name == "codex" else MESSAGES).items():
        assert text in errors[status]["message"]


@pytest.mark.parametrize("name", ALL)
def test_a_retry_of_a_client_pays_nothing_twice(name, outcome):
    client = CLIENTS[name]
    sent_again = 1 if name == "codex" else 2
    expected = {"500": client.failed, "503": client.differs.get("503", PROVIDER_TEXT)}
    assert outcome.cases["retries"] == expected
    assert outcome.counts["500"] == 1
    assert outcome.counts["503"] == sent_again


@pytest.mark.parametrize("name", [each for each in ALL if CLIENTS[each.values[0]].page])
def test_the_code_of_a_clients_page_runs(outcome):
    printed = outcome.cases["page"]
    assert "You said: " in printed[0]
    assert any("before that you said: My name is Ada." in line for line in printed)


@pytest.mark.parametrize("name", ["langchain"])
def test_langchains_default_is_refused_with_what_to_set(outcome):
    error = outcome.cases["chat_completions"]
    assert error["kind"] == "OpenAIModelNotFoundError"
    assert "ChatOpenAI(use_responses_api=True)" in error["message"]


def test_the_page_has_the_table_of_these_tests():
    assert build_tables() in PAGE.read_text(), "run `python -m tests.clients.compatibility_page`"
