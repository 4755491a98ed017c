"""Examples name models that live: those in one file."""

from pathlib import Path

import pytest

from infra.example_models import ENDED_MODELS, EXAMPLE_MODEL

ROOT = Path(__file__).parents[1]
PAGES = sorted((ROOT / "docs").rglob("*.md"))
EXAMPLES = ("README.md", "docs/files.md", "gateway.toml", "functions/reference/openapi.json")
HELP = ("infra/operator", "infra/reference", "infra/local", "infra/constructs")


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_names_a_model_that_ends(name):
    text = (ROOT / name).read_text("utf-8")
    assert ENDED_MODELS.findall(text) == []
    assert EXAMPLE_MODEL in text


def test_no_page_names_a_model_that_ends():
    pages = [page for page in PAGES if page.parent.name != "decisions"]
    assert [page.name for page in pages if ENDED_MODELS.findall(page.read_text("utf-8"))] == []


@pytest.mark.parametrize("folder", HELP)
def test_no_text_of_a_command_does(folder):
    texts = {path: path.read_text("utf-8") for path in (ROOT / folder).rglob("*.py")}
    assert {
        path: found for path, text in texts.items() if (found := ENDED_MODELS.findall(text))
    } == {}


@pytest.mark.parametrize("name", ["gpt-5", "gpt-5-mini", "o3", "o3-pro"])
def test_the_models_that_end_are_found(name):
    assert ENDED_MODELS.findall(f'{{"model": "{name}"}} and {name}.') == [name, name]
    assert ENDED_MODELS.findall(f"{name}.1 {name}x {EXAMPLE_MODEL} gpt-4.1 gpt-4o o3-mini") == []


def test_the_simulator_lists_and_plays_the_example(played):
    with played.client("url", "acme") as client:
        assert EXAMPLE_MODEL in {model["id"] for model in client.get("/models").json()["data"]}
        got = client.post("/responses", json={"model": EXAMPLE_MODEL, "input": "Say hello."})
    assert (got.status_code, got.json()["model"]) == (200, EXAMPLE_MODEL)
