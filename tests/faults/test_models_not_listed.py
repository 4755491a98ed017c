"""GET /models where providers do not answer: why, and in the format that Codex reads."""

import json

import pytest

from antiphon.api.models import _objects
from antiphon.upstream.outcome import UpstreamResponse
from tests.support.function import make_get_event, run_function
from tests.support.provider import encode_response

CONFIG = """
[targets.unlisted]
provider = "openai"
base_url = "http://127.0.0.1:{port}/v1"
models = ["gpt-*"]
{more}
"""
OTHER = """
[targets.listing]
provider = "openai"
base_url = "{address}/other/v1"
models = ["o*"]
"""
REASON = "Target 'unlisted': The provider could not be reached: the connection is refused."
MODELS = [{"id": "o9", "owned_by": "x", "shutdown_date": "2026-12-11"}]


@pytest.fixture(scope="module")
def credentials(impatient):
    for target in ("unlisted", "listing"):
        impatient.store_credential(target)


@pytest.fixture
def start(tmp_path, refusing_port, impatient, credentials):  # noqa: ARG001  functions read them
    """A function with a target that nobody can reach, and with others."""

    def start(more=""):
        config = tmp_path / "gateway.toml"
        config.write_text(CONFIG.format(port=refusing_port, more=more))
        return run_function(impatient.aws_endpoint, config, tmp_path / "log")

    return start


def test_without_any_list_the_reason_is_the_answer_and_in_the_log(start, tmp_path):
    with start() as function:
        for path in ("/models", "/models/gpt-9"):
            got = function(make_get_event(path))
            error = json.loads(got.body)["error"]
            assert (got.status, error["code"]) == (502, "upstream_not_reached")
            assert REASON in error["message"]
            assert "x-should-retry" not in got.headers
        assert function(make_get_event("/models/o9")).status == 404  # no target may have it
    lines = (tmp_path / "log").read_text().splitlines()
    logs = [json.loads(line) for line in lines if line[:1] == "{"]
    (line,) = [log for log in logs if log["message"] == "models not listed"]
    assert (line["target"], line["reason"]) == (
        "unlisted",
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
    with start(OTHER.format(address=provider.address)) as function:

        def get(path, query=""):
            return json.loads(function(make_get_event(path, query)).body)

        assert get("/models") == plain
        assert get("/models/o9") == MODELS[0]
        got = function(make_get_event("/models/gpt-9"))
        assert (got.status, REASON in got.body.decode()) == (502, True)
        codex = get("/models", "client_version=0.99.0")
        assert codex == {**plain, "models": described[:1]}
        assert get("/models", "client_version=0.99.1") == codex  # not read again
        assert get("/models", "client_version=%0A") == plain
    assert [line for line in lines if line.startswith("/other")] == [
        "/other/v1/models",
        "/other/v1/models?client_version=0.99.0",
    ]
