"""What commands know of `gateway.toml`: by outputs of the stack, in parts of a limited size."""

import pytest

from antiphon.settings.config import UNLIMITED, Limits, parse_config
from infra.operator.key_settings import OUTPUT_CHARS, KeySettings

SECTIONS = {
    "targets": {
        "a": {"provider": "openai", "models": ["gpt-*", "o3"]},
        "b": {
            "provider": "azure",
            "endpoint": "https://x.example",
            "models": {"o3": "d", "m": "e"},
        },
    },
    "tenants": {f"tenant-{n}": {"rpm": n + 1, "budget_usd": 0.5} for n in range(100)},
}


def test_settings_of_many_tenants_pass_through_outputs():
    settings = KeySettings.of(parse_config(SECTIONS))
    outputs = dict(settings.to_outputs())
    assert [*outputs][:3] == ["KeySettings", "KeySettings2", "KeySettings3"]
    assert max(map(len, outputs.values())) == OUTPUT_CHARS
    assert KeySettings.from_outputs({"TableName": "t", **outputs}) == settings
    assert settings.models == ("gpt-*", "o3", "m")
    assert settings.limits_of("tenant-4") == Limits(rpm=5, budget_usd=0.5)
    assert settings.limits_of("acme") == UNLIMITED


@pytest.mark.parametrize(
    ("model", "is_served"),
    [
        *(("gpt-5", True), ("gpt-5*", True), ("*", True), ("g*", True), ("*-mini", True)),
        *(("o3", True), ("o*", True), ("*3", True), ("m", True)),
        *(("gtp-5", False), ("o4", False), ("o4*", False), ("mm*", False), ("", False)),
    ],
)
def test_a_pattern_is_served_if_one_name_can_match_it_and_a_target(model, is_served):
    settings = KeySettings.of(parse_config(SECTIONS))
    assert settings.unserved([model]) == ([] if is_served else [model])
