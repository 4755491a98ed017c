"""GET /models where providers do not answer: why, and in the format that Codex reads."""

import json

import pytest

from antiphon.api.models import _objects
from antiphon.upstream.outcome import UpstreamResponse
from tests.support.gateway import run_gateway
from tests.support.provider import encode_response

CONFIG = """
[targets.refusing]
provider = "openai"
base_url = "http://127.0.0.1:{port}/v1"
models = ["gpt-*"]
{more}
"""
OTHER = """
[targets.other]
provider = "openai"
base_url = "{address}/other/v1"
models = ["o*"]
"""
REASON = "Target 'refusing': The provider could not be reached: the connection is refused."
MODELS = [{"id": "o9", "owned_by": "x", "shutdown_date": "2026-12-11"}]


@pytest.fixture
def start(tmp_path, refusing_port):
    """A gateway with a target that nobody can reach, and with others."""

    def start(more=""):
        config = tmp_path / "gateway.toml"
        config.write_text(CONFIG.format(port=refusing_port, more=more))
        credentials = {"ANTIPHON_SECRET_REFUSING": "x", "ANTIPHON_SECRET_OTHER": "x"}
        ready = tmp_path / "ready.json"
        return run_gateway(config, ready, "--concurrency", "1", credentials=credentials)

    return start


def test_without_any_list_the_reason_is_the_answer_and_in_the_log(start, capfd):
    with start() as gateway, gateway.client() as client:
        for path in ("/models", "/models/gpt-9"):
            got = client.get(path)
            assert (got.status_code, got.json()["error"]["code"]) == (502, "upstream_not_reached")
            assert REASON in got.json()["error"]["message"]
            assert "x-should-retry" not in got.headers
        assert client.get("/models/o9").status_code == 404  # no target may have it
    logs = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line[:1] == "{"]
    (line,) = [log for log in logs if log["message"] == "models not listed"]
    assert (line["target"], line["reason"]) == (
        "refusing",
        REASON.partition(": ")[2] + " Nothing was sent.",
    )


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ('{"data": [{}, {"id": 5}, {"id": null}, "odd", {"id": "o9"}]}', ["o9"]),
        ('{"data": [{"id": "o9", "created": %s}]}' % ("1" * 5_000), ["o9"]),
        ('{"data": [{"id": "o9", "created": NaN}]}', ["o9"]),
        ('{"data": [{"id": "o\\ud800"}, {"id": "o9"}]}', ["o\ud800", "o9"]),
        ("[1]", None),
        ("no JSON", None),
    ],
    ids=["odd ids", "long number", "NaN", "half a character", "an array", "text"],
)
def test_odd_lists_are_read_as_far_as_possible(body, names):
    response = UpstreamResponse("t", 200, {}, body.encode())
    found = _objects(response, "data", "id")
    assert (found and [model["id"] for model in found]) == names
    json.dumps(found, allow_nan=False)  # as an answer it must be JSON


def test_what_others_list_is_listed_also_as_codex_reads_it(start, provider):
    """Codex sends its version; it uses its own description of a model without one."""
    described = [{"slug": "o9", "base_instructions": "x"}, {"slug": "dall-e"}, {"slug": 5}, "odd"]
    lines = []

    def answer(request):
        lines.append(request.line.split()[1])
        return (encode_response(json.dumps({"data": MODELS, "models": described}).encode()),)

    provider.respond_by(answer)
    plain = {"object": "list", "data": MODELS}
    with start(OTHER.format(address=provider.address)) as gateway, gateway.client() as client:
        assert client.get("/models").json() == plain
        assert client.get("/models/o9").json() == MODELS[0]
        got = client.get("/models/gpt-9")
        assert (got.status_code, REASON in got.text) == (502, True)
        codex = client.get("/models?client_version=0.99.0").json()
        assert codex == {**plain, "models": described[:1]}
        assert client.get("/models?client_version=0.99.1").json() == codex  # not read again
        assert client.get("/models?client_version=%0A").json() == plain
    assert [line for line in lines if line.startswith("/other")] == [
        "/other/v1/models",
        "/other/v1/models?client_version=0.99.0",
    ]
