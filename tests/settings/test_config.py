"""gateway.toml: what is refused, by the name of the key; what a target serves."""

import pytest

from antiphon.settings.config import Config, ConfigError, load_config, parse_config

OPENAI = {"provider": "openai", "models": ["gpt-*"]}
AZURE = {"provider": "azure", "endpoint": "https://a.openai.azure.com", "models": {"a": "b"}}


def refusal(document):
    with pytest.raises(ConfigError) as caught:
        parse_config(document)
    return str(caught.value)


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({}, "targets"),
        ({"targets": {}}, "targets"),
        ({"targets": {"a": {}}}, "targets.a"),
        ({"targets": {"a": {**OPENAI, "provider": "acme"}}}, "targets.a"),
        ({"targets": {"A b": OPENAI}}, "targets.A b"),
        ({"targets": {"a": {"provider": "openai"}}}, "targets.a.models"),
        ({"targets": {"a": {**OPENAI, "models": []}}}, "targets.a"),
        ({"targets": {"a": {**OPENAI, "models": 5}}}, "targets.a.models"),
        ({"targets": {"a": {**OPENAI, "weight": 0}}}, "targets.a.weight"),
        ({"targets": {"a": {**OPENAI, "modles": []}}}, "targets.a.modles"),
        ({"targets": {"a": {**OPENAI, "base_url": "http://acme.com"}}}, "targets.a.base_url"),
        ({"targets": {"a": {**OPENAI, "base_url": "https://u:p@acme.com"}}}, "targets.a.base_url"),
        ({"targets": {"a": {**AZURE, "endpoint": "acme"}}}, "targets.a.endpoint"),
        ({"targets": {"a": OPENAI}, "gateway": {"links_days": 0}}, "gateway.links_days"),
        ({"targets": {"a": OPENAI}, "gatway": {}}, "gatway"),
    ],
    ids=str,
)
def test_a_wrong_key_is_named(document, key):
    assert f"gateway.toml: {key}: " in refusal(document)


def test_every_wrong_key_is_told_at_once():
    lines = refusal({"targets": {"a": {"provider": "azure"}}}).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["targets.a.models", "targets.a.endpoint"]


def test_a_file_that_is_no_toml_says_where(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text("[targets\n")
    with pytest.raises(ConfigError, match=r"gateway.toml: .*line 1"):
        load_config(file)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        load_config(tmp_path / "gateway.toml")


def test_plain_http_is_for_loopback_alone():
    for address in ("http://127.0.0.1:9/v1", "http://localhost:9/v1", "https://acme.com/v1"):
        parse_config({"targets": {"a": {**OPENAI, "base_url": address}}})


@pytest.mark.parametrize(
    ("models", "asked", "name"),
    [
        (["gpt-*"], "gpt-5", "gpt-5"),
        (["gpt-*"], "GPT-5", None),
        (["gpt-*"], "my-gpt-5", None),
        (["*-mini"], "gpt-5-mini", "gpt-5-mini"),
        (["a*a"], "a", None),
        (["*"], "anything", "anything"),
        (["o3"], "o3-pro", None),
        ({"gpt-5": "prod"}, "gpt-5", "prod"),
        ({"gpt-5": "prod"}, "prod", None),
    ],
)
def test_a_target_serves_what_it_names(models, asked, name):
    config = parse_config({"targets": {"a": {**OPENAI, "models": models}}})
    assert config.targets["a"].upstream_model(asked) == name


def test_a_dated_version_means_the_older_azure_path():
    def legacy(version):
        target = Config.model_validate({"targets": {"a": {**AZURE, "api_version": version}}})
        return target.targets["a"].legacy

    assert [legacy(v) for v in (None, "v1", "preview", "2025-04-01-preview")] == [False] * 3 + [
        True
    ]
