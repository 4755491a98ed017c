"""Tables and parts of pages that must be as the code is."""

import re
from collections.abc import Iterable

import pytest

from antiphon.settings import config, policy, targets
from antiphon.upstream import exchange
from infra.pages.sections import PAGES, MissingSectionError, replace_section
from infra.pages.tables import NONE, format_allowed, format_default
from infra.reference.headers import HEADERS
from tests.docs.blocks import ROOT

TARGET = set(targets.TargetSection.model_fields)
OPENAI, AZURE = set(targets.OpenAITarget.model_fields), set(targets.AzureTarget.model_fields)
BEDROCK = set(targets.BedrockTarget.model_fields)
OWN_DEFAULTS = {"conversations", "skills"}  # keys of all, with a default for each provider
# The first cell of a table of docs/settings.md: its model, and the keys that it has.
SETTINGS = {
    "`[gateway]`": (config.Gateway, None),
    "`[targets.NAME]`": (targets.TargetSection, (TARGET - OWN_DEFAULTS) | {"provider"}),
    "`[targets.NAME]`, openai": (
        targets.OpenAITarget,
        (OPENAI - TARGET - {"provider"}) | OWN_DEFAULTS,
    ),
    "`[targets.NAME]`, azure": (
        targets.AzureTarget,
        (AZURE - TARGET - {"provider"}) | OWN_DEFAULTS,
    ),
    "`[targets.NAME]`, bedrock": (targets.BedrockTarget, BEDROCK - TARGET - {"provider"}),
    "`entra = { … }`": (targets.Entra, None),
    "`workload_identity = { … }`": (targets.WorkloadIdentity, None),
    "`[tenants.NAME]`": (config.Limits, None),
    "`[policy]`": (policy.Policy, None),
    "`[prices.NAME]`": (config.Price, None),
    "`[files]`": (config.Files, None),
    "`[batches]`": (config.Batches, None),
    "`[shared.ID]`": (config.Shared, None),
    "`[telemetry]`": (config.Telemetry, None),
    "`[events]`": (config.Events, None),
    "`[webhooks]`": (config.Webhooks, None),
    "`[auth.jwt]`": (config.Jwt, None),
    "`[guardrail]`": (config.GuardrailSection, None),
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_generated_parts_are_current(page):
    assert page.is_current(), "run `python -m infra.pages`"


def test_a_part_without_its_comments_is_an_error():
    text = "<!-- begin a: written by `python -m infra.pages` -->\nold\n<!-- end a -->\n"
    assert replace_section(text, "a", "new").splitlines()[1] == "new"
    with pytest.raises(MissingSectionError, match="begin b"):
        replace_section(text, "b", "new")


def rows(page: str, first_cell: str) -> Iterable[list[str]]:
    """The cells of the table with this first cell in its head."""
    text = (ROOT / page).read_text("utf-8")
    table = text.partition(f"\n| {first_cell} |")[2].partition("\n\n")[0]
    return [re.split(r" ?\| ?", line)[1:-1] for line in table.splitlines()[2:]]


@pytest.mark.parametrize("first_cell", SETTINGS)
def test_settings_have_each_key_with_its_default_and_bounds(first_cell):
    model, names = SETTINGS[first_cell]
    found = {
        cells[0].strip("`"): tuple(cells[1:3]) for cells in rows("docs/settings.md", first_cell)
    }
    expected = {
        name: (format_default(field), format_allowed(model, name))
        for name, field in model.model_fields.items()
        if names is None or name in names
    }
    if "provider" in (names or ()):
        expected["provider"] = (NONE, "`openai`, `azure`, `bedrock`")
    assert found == expected


def test_settings_have_each_section():
    text = (ROOT / "docs/settings.md").read_text("utf-8")
    assert [name for name in config.Config.model_fields if f"| `[{name}" not in text] == []


def names_in(page, title):
    """The header names in the first column of all tables below a title."""
    part = (ROOT / page).read_text("utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]+) \|", part, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_headers_to_the_provider_are_those_that_pass():
    read_only = {"authorization", "api-key", "idempotency-key"} | {
        "x-antiphon-target",
        "x-antiphon-model",
    }
    passed = {*exchange.TO_PROVIDER, *exchange.RANGES}
    assert names_in("docs/headers.md", "From the caller") == passed | read_only


def test_headers_to_the_caller_are_those_that_pass():
    own = {name for name in HEADERS if name.startswith("x-antiphon-")}
    assert names_in("docs/headers.md", "To the caller") == {*exchange.TO_CALLER} | own
