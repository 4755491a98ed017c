"""gateway.toml: wrong keys are refused by their name; which models a target serves."""

import pytest

from antiphon.settings.config import Config, ConfigError, Settings, load_config, parse_config

OPENAI = {"provider": "openai", "models": ["gpt-*"]}
BEDROCK = {"provider": "bedrock", "region": "eu-central-1", "models": ["openai.*"]}
AZURE = {"provider": "azure", "endpoint": "https://a.openai.azure.com", "models": {"a": "b"}}
ENTRA = {"tenant_id": "acme.onmicrosoft.com", "client_id": "0000-1"}


def config_error(document):
    with pytest.raises(ConfigError) as caught:
        parse_config(document)
    return str(caught.value)


def parse_gateway(**options):
    return parse_config({"targets": {"a": OPENAI}, "gateway": options}).gateway


@pytest.mark.parametrize(
    ("document", "key"),
    [
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
        ({"targets": {"a": {**AZURE, "auth": "entra"}}}, "targets.a"),
        ({"targets": {"a": {**AZURE, "entra": ENTRA}}}, "targets.a"),
        ({"targets": {"a": {**OPENAI, "auth": "workload_identity"}}}, "targets.a"),
        ({"gateway": {"links_days": 0}}, "gateway.links_days"),
        ({"telemetry": {"otlp_endpoint": "http://otel.acme.com"}}, "telemetry.otlp_endpoint"),
        ({"events": {"bus": "acme"}}, "events.bus"),
        ({"webhooks": {"retry_hours": 0}}, "webhooks.retry_hours"),
        ({"telemetry": {"headers_secret": "otlp"}}, "telemetry.headers_secret"),
        ({"gateway": {"proxy": "proxy.acme"}}, "gateway.proxy"),
        ({"gatway": {}}, "gatway"),
        *[
            ({"gateway": {"cors_origins": [origin]}}, "gateway.cors_origins.0")
            for origin in (
                "app.example.com",
                "https://a.example/",
                "https://A.example",
                "https://*.a",
            )
        ],
        ({"gateway": {"cors_origins": ["*", "https://a.example"]}}, "gateway.cors_origins"),
        ({"targets": {"a": {**OPENAI, "files": "yes"}}}, "targets.a.files"),
        ({"targets": {"a": {**AZURE, "skills": 1}}}, "targets.a.skills"),
        ({"targets": {"a": {**OPENAI, "without": ["responses"]}}}, "targets.a.without.0"),
        ({"files": {"default": "b"}}, "files.default"),
        ({"files": {"default": "A b"}}, "files.default"),
        ({"files": {"target": "a"}}, "files.target"),
        (
            {"targets": {"a": {**OPENAI, "files": False}}, "files": {"default": "a"}},
            "files.default",
        ),
        ({"batches": {"enabled": "on"}}, "batches.enabled"),
        ({"tenants": {"t": {"files_target": "b"}}}, "tenants.t.files_target"),
        ({"tenants": {"t": {"files_target": 1}}}, "tenants.t.files_target"),
        ({"shared": {"vs_1": {"target": "b"}}}, "shared.vs_1.target"),
        ({"tenants": {"t": {"policy": "b"}}}, "tenants.t.policy"),
        ({"policy": {"targets": ["eu*"]}}, "policy.targets"),
        ({"policies": {"b": {"url_hosts": ["https://a.com"]}}}, "policies.b.url_hosts.0"),
        ({"targets": {"a": OPENAI, "b": AZURE}, "shared": {"vs_1": {}}}, "shared.vs_1.target"),
        ({"shared": {"vs_1": {"tenants": ["a b"]}}}, "shared.vs_1.tenants.0"),
        ({"shared": {"vs_1": {"tenants": "t"}}}, "shared.vs_1.tenants"),
        ({"shared": {"vs_1": {"read": True}}}, "shared.vs_1.read"),
        ({"shared": {"vs 1": {}}}, "shared.vs 1"),
    ],
    ids=str,
)
def test_the_error_names_the_wrong_key(document, key):
    assert f"gateway.toml: {key}: " in config_error({"targets": {"a": OPENAI}, **document})


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            {"gateway": {"link_days": 3}},
            "gateway.link_days: there is no such key. Did you mean links_days?",
        ),
        ({"gatway": {}}, "gatway: there is no such key. Did you mean gateway?"),
        ({"targets": {"a": {**OPENAI, "modles": []}}}, "Did you mean models?"),
        (
            {"targets": {"a": {**AZURE, "entra": {**ENTRA, "client": "x"}}}},
            "Did you mean client_id?",
        ),
        ({"tenants": {"t": {"zzz": 1}}}, "The keys here are budget_period, budget_usd, "),
        ({"shared": {"vs_1": {"tenant": []}}}, "Did you mean tenants?"),
        ({"gateway": {"links_days": "x"}}, "gateway.links_days: must be a whole number"),
        ({"gateway": {"links_days": 0}}, "gateway.links_days: must be greater than or equal to 1"),
        ({"gateway": {"pass_headers": 5}}, "must be a list, in square brackets"),
        (
            {"targets": {"a": {"provider": "acme"}}},
            "targets.a: provider must be 'openai', 'azure' or 'bedrock'",
        ),
        ({"targets": {"a": {}}}, "the key provider is required: 'openai', 'azure' or 'bedrock'"),
        ({"targets": {"a": {"provider": "openai"}}}, "targets.a.models: this key is required"),
        ({"targets": {"a": {**BEDROCK, "regoin": "x"}}}, "Did you mean region?"),
        ({"targets": {"a": {**OPENAI, "region": "eu-central-1"}}}, "region: there is no such key"),
        ({"targets": {"a": {**BEDROCK, "auth": "key"}}}, "targets.a.auth: there is no such key"),
        ({"targets": {"a": {**BEDROCK, "region": "Frankfurt"}}}, "targets.a.region: "),
        ({"targets": {"a": {**BEDROCK, "endpoint": "x"}}}, "must be 'runtime' or 'mantle'"),
        ({"targets": {"a": {**BEDROCK, "serves": ["files"]}}}, "targets.a.serves.0: must be "),
        (
            {"targets": {"a": {**BEDROCK, "serves": ["background", "retrieve"]}}},
            'targets.a: serves: endpoint = "runtime" has no background responses',
        ),
        (
            {"targets": {"a": {**BEDROCK, "endpoint": "mantle", "serves": ["background"]}}},
            'targets.a: serves: "background" needs "retrieve"',
        ),
        (
            {"targets": {"a": {**BEDROCK, "files": True, "without": []}}},
            "targets.a: files, without: a target of Bedrock serves a create",
        ),
        ({"targets": {"a": {**BEDROCK, "region": "cn-north-1"}}}, "targets.a: base_url: give "),
        (
            {"targets": {"a": {**BEDROCK, "base_url": "https://b.example/a%20b"}}},
            "targets.a.base_url: its path may only have",
        ),
    ],
    ids=str,
)
def test_the_error_says_what_is_expected(document, words):
    assert words in config_error({"targets": {"a": OPENAI}, **document})


def test_targets_are_required():
    assert "gateway.toml: targets: " in config_error({})


def test_the_error_names_all_wrong_keys():
    lines = config_error({"targets": {"a": {"provider": "azure"}}}).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["targets.a.models", "targets.a.endpoint"]


def test_the_error_of_invalid_toml_has_the_line(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text("[targets\n")
    with pytest.raises(ConfigError, match=r"gateway.toml: .*line 1"):
        load_config(file)


def test_the_error_of_a_missing_file_names_it(tmp_path):
    with pytest.raises(ConfigError, match=r"gateway.toml: there is no such file"):
        load_config(tmp_path / "gateway.toml")


def test_plain_http_is_for_loopback_addresses_only():
    for address in ("http://127.0.0.1:9/v1", "http://localhost:9/v1", "https://acme.com/v1"):
        parse_config({"targets": {"a": {**OPENAI, "base_url": address}}})


@pytest.mark.parametrize(
    "proxy",
    [
        "http://proxy.example:3128",
        "https://proxy.example",
        "http://10.0.0.1:8080",
        "http://user:password@proxy.example:3128",
        "http://[fd00::1]:3128",
    ],
)
def test_a_proxy_is_an_http_address(proxy):
    assert parse_gateway(proxy=proxy).proxy == proxy


@pytest.mark.parametrize(
    "proxy",
    [
        "",
        "proxy.example",
        "proxy.example:3128",
        "//proxy.example",
        "http://",
        "http://:3128",
        "socks5://proxy.example:1080",
        "ftp://proxy.example",
    ],
)
def test_other_proxies_are_refused(proxy):
    document = {"targets": {"a": OPENAI}, "gateway": {"proxy": proxy}}
    expectation = "must be an address such as http://proxy.example:3128"
    assert config_error(document) == f"gateway.toml: gateway.proxy: {expectation}"


def test_a_proxy_must_be_text():
    error = config_error({"targets": {"a": OPENAI}, "gateway": {"proxy": 3128}})
    assert error.startswith("gateway.toml: gateway.proxy: ")


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "api-key",
        "x-api-key",
        "x-goog-api-key",
        "cookie",
        "set-cookie",
        "host",
        "connection",
        "transfer-encoding",
        "content-length",
        "x-forwarded-for",
        "x-amzn-trace-id",
        "true-client-ip",
        "openai-organization",
        "proxy-authorization",
        "user-agent",
    ],
)
def test_no_private_header_can_be_passed(name):
    error = config_error({"targets": {"a": OPENAI}, "gateway": {"pass_headers": ["x-a", name]}})
    assert error.startswith("gateway.toml: gateway.pass_headers.1: identifies a caller")


@pytest.mark.parametrize("name", ["X-Acme", "a b", "", "*-x", "x:y", "ä"])
def test_a_header_to_pass_is_a_name(name):
    error = config_error({"targets": {"a": OPENAI}, "gateway": {"pass_headers": [name]}})
    assert error.startswith("gateway.toml: gateway.pass_headers.0: ")


def test_headers_to_pass_may_end_with_an_asterisk():
    assert parse_gateway(pass_headers=["x-a", "x-b-*"]).pass_headers == ["x-a", "x-b-*"]


def test_there_is_no_proxy_by_default():
    assert parse_gateway().proxy is None


def test_settings_have_the_proxy_of_the_file(tmp_path):
    file = tmp_path / "gateway.toml"
    target = '[targets.a]\nprovider = "openai"\nmodels = ["*"]\n'
    file.write_text(f'[gateway]\nproxy = "http://proxy.example:3128"\n{target}')
    env = {
        "TABLE_NAME": "table",
        "TARGET_SECRETS": '{"a": "arn:aws:secretsmanager:…"}',
        "CONFIG_FILE": str(file),
    }
    settings = Settings.from_env(env)
    assert settings.config.gateway.proxy == "http://proxy.example:3128"
    assert settings.secrets == {"a": "arn:aws:secretsmanager:…"}
    assert (settings.table_name, settings.queue_url) == ("table", "")


def test_settings_need_their_environment(tmp_path):
    env = {"LAMBDA_TASK_ROOT": str(tmp_path)}
    with pytest.raises(KeyError, match="TABLE_NAME"):
        Settings.from_env(env)
    with pytest.raises(ConfigError, match=f"{tmp_path}/gateway.toml: there is no such file"):
        Settings.from_env({**env, "TABLE_NAME": "table"})


@pytest.mark.parametrize(
    ("models", "model", "name"),
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
def test_a_target_serves_the_models_that_it_names(models, model, name):
    config = parse_config({"targets": {"a": {**OPENAI, "models": models}}})
    assert config.targets["a"].upstream_model(model) == name


def test_files_and_skills_are_what_a_provider_has():
    targets = parse_config({"targets": {"a": OPENAI, "b": AZURE}}).targets.values()
    assert [(each.files, each.skills) for each in targets] == [(True, True), (True, False)]


def test_a_webhook_to_one_target_reports_for_all_of_its_account():
    section = {"provider": "openai", "models": ["*"]}
    hooked = {**section, "receives_webhooks": True}
    of_azure = {"provider": "azure", "endpoint": "https://a.example", "models": ["*"]}
    targets = {
        "first": {**hooked, "account": "lab"},
        "second": {**section, "account": "lab"},
        "alone": hooked,
        "other": section,
        "azure": {**of_azure, "account": "lab"},  # whose accounts are others
    }
    config = parse_config({"targets": targets})
    assert config.reporting_accounts() == {
        "first": "openai lab",
        "second": "openai lab",
        "alone": "openai alone",
    }
    assert config.webhook_targets() == ["first", "alone"]


def test_batches_are_off_and_nothing_is_shared_by_default():
    config = parse_config({"targets": {"a": OPENAI}})
    assert (config.batches.enabled, config.files.default, config.shared) == (False, None, {})


@pytest.mark.parametrize(
    ("tenants", "includes"), [(None, (True, True)), (["acme"], (True, False)), ([], (False, False))]
)
def test_an_object_is_shared_with_the_tenants_that_its_section_names(tenants, includes):
    section = {} if tenants is None else {"tenants": tenants}
    config = parse_config({"targets": {"only": OPENAI}, "shared": {"vs_1": section}})
    shared = config.shared_objects()["vs_1"]
    assert shared.target == "only"
    assert (shared.includes("acme"), shared.includes("umbra")) == includes


def test_a_dated_version_means_the_older_azure_path():
    def is_legacy(version):
        config = Config.model_validate({"targets": {"a": {**AZURE, "api_version": version}}})
        return config.targets["a"].is_legacy

    versions = (None, "v1", "preview", "2025-04-01-preview")
    assert [is_legacy(version) for version in versions] == [False, False, False, True]


@pytest.mark.parametrize(
    ("more", "address", "service"),
    [
        ({}, "https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1", "bedrock"),
        (
            {"endpoint": "mantle"},
            "https://bedrock-mantle.eu-central-1.api.aws/v1",
            "bedrock-mantle",
        ),
        ({"base_url": "http://127.0.0.1:9/x/"}, "http://127.0.0.1:9/x", "bedrock"),
    ],
)
def test_bedrock_has_an_address_and_a_name_in_signatures(more, address, service):
    target = parse_config({"targets": {"a": {**BEDROCK, **more}}}).targets["a"]
    assert (target.address, target.service, target.has_secret) == (address, service, False)
