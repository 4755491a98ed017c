import json

import pytest

from antiphon.settings.config import ConfigError, parse_config
from infra.local.options import GatewayOptions
from infra.local.startup_report import describe_target
from infra.local.target_setup import build_target_setup, read_target_setup

SIMULATOR = "http://127.0.0.1:9"
OPENAI = {"provider": "openai", "models": ["gpt-*"]}
AZURE = {"provider": "azure", "models": {"gpt-5": "prod"}}
APP = {"tenant_id": "acme.example", "client_id": "1-2-3"}
ENTRA = {**AZURE, "endpoint": "https://acme.example", "auth": "entra", "entra": APP}
BY_IDENTITY = {**ENTRA, "entra": {**APP, "identity": "aws"}}


def document(**targets):
    return {"targets": {name.replace("_", "-"): target for name, target in targets.items()}}


def played(given, env):
    return parse_config(
        build_target_setup(given, env).simulate(SIMULATOR, ["sim-a", "sim-b"])
    ).targets


def test_a_target_without_a_credential_is_simulated():
    targets = played(document(openai=OPENAI, azure_east=AZURE), {})
    assert targets["openai"].base_url == f"{SIMULATOR}/v1"
    assert targets["openai"].models == ["gpt-*", "sim-*"]
    assert targets["azure-east"].endpoint == SIMULATOR
    assert targets["azure-east"].models == {"gpt-5": "prod", "sim-a": "sim-a", "sim-b": "sim-b"}


def test_a_target_with_a_credential_stays_as_it_is():
    found = build_target_setup(document(openai=OPENAI), {"OPENAI_API_KEY": "sk"})
    assert found.simulated == []
    assert found.secrets() == {"openai": "sk"}
    assert found.simulate(SIMULATOR, ["sim-a"]) == document(openai=OPENAI)


def test_a_targets_own_variable_comes_before_its_providers():
    env = {"ANTIPHON_SECRET_AZURE_EAST": "own", "AZURE_OPENAI_API_KEY": "general"}
    found = build_target_setup(document(azure_east=AZURE, azure_west=AZURE, openai=OPENAI), env)
    assert found.secrets() == {"azure-east": "own", "azure-west": "general", "openai": "simulated"}


def test_an_empty_variable_is_none():
    assert build_target_setup(document(openai=OPENAI), {"OPENAI_API_KEY": ""}).simulated == [
        "openai"
    ]


def test_addresses_fill_only_targets_that_name_none():
    env = {
        "OPENAI_API_KEY": "sk",
        "OPENAI_BASE_URL": "https://eu.example/v1",
        "AZURE_OPENAI_API_KEY": "k",
        "AZURE_OPENAI_ENDPOINT": "https://acme.example",
    }
    own = {**AZURE, "endpoint": "https://own.example"}
    targets = played(document(openai=OPENAI, azure=AZURE, own=own), env)
    assert targets["openai"].base_url == "https://eu.example/v1"
    assert targets["azure"].endpoint == "https://acme.example"
    assert targets["own"].endpoint == "https://own.example"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nonsense", "gateway.toml: "),
        ("[targets]", "gateway.toml: targets: "),
        ("targets = 3", "gateway.toml: targets: "),
        ("[targets]\nopenai = 3", "gateway.toml: targets.openai: "),
        ('[targets.x]\nprovider = "other"\nmodels = ["m"]', "gateway.toml: targets.x: "),
        ('[targets.x]\nprovider = ["other"]\nmodels = ["m"]', "gateway.toml: targets.x: "),
        ('[targets.x]\nprovider = "openai"\nmodels = "m"', "gateway.toml: targets.x.models"),
    ],
)
def test_an_error_in_the_file_is_reported_by_its_key(tmp_path, text, message):
    path = tmp_path / "gateway.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as raised:
        read_target_setup(path, {})
    assert str(raised.value).startswith(message)


def test_an_azure_target_with_a_credential_needs_an_address(tmp_path):
    path = tmp_path / "gateway.toml"
    path.write_text('[targets.a]\nprovider = "azure"\nmodels = { "m" = "d" }')
    with pytest.raises(ConfigError, match=r"targets\.a\.endpoint: this key is required"):
        read_target_setup(path, {"AZURE_OPENAI_API_KEY": "k"})


def test_a_target_of_entra_is_called_where_its_client_secret_is_given():
    found = build_target_setup(document(azure=ENTRA), {"ANTIPHON_SECRET_AZURE": "client-secret"})
    assert found.secrets() == {"azure": "client-secret"}
    assert found.simulate(SIMULATOR, ["sim-a"]) == document(azure=ENTRA)


def test_a_provider_s_key_is_no_client_secret():
    assert build_target_setup(document(azure=ENTRA), {"AZURE_OPENAI_API_KEY": "k"}).simulated == [
        "azure"
    ]


def test_the_simulator_is_called_with_a_key_and_not_with_a_token():
    target = played(document(azure=ENTRA), {})["azure"]
    assert (target.endpoint, target.auth, target.entra) == (SIMULATOR, "key", None)


def test_openai_with_an_aws_identity_is_always_simulated():
    keyless = {
        **OPENAI,
        "auth": "workload_identity",
        "workload_identity": {"identity_provider_id": "idp_1", "service_account_id": "user-1"},
    }
    found = build_target_setup(document(openai=keyless), {"OPENAI_API_KEY": "sk"})
    assert found.simulated == ["openai"]
    played_target = played(document(openai=keyless), {"OPENAI_API_KEY": "sk"})["openai"]
    assert (played_target.auth, played_target.workload_identity) == ("key", None)


BEDROCK = {"provider": "bedrock", "region": "eu-central-1", "models": {"oss": "openai.gpt-oss"}}
SIGNING = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}


def test_bedrock_is_called_with_the_keys_of_the_environment(tmp_path):
    given = document(bedrock=BEDROCK, openai=OPENAI)
    found = build_target_setup(given, {**SIGNING, "AWS_BEDROCK_BASE_URL": "https://b.example"})
    assert (found.simulated, found.signing) == (["openai"], SIGNING)
    assert found.document["targets"]["bedrock"]["base_url"] == "https://b.example"
    options = GatewayOptions([], build_target_setup(given, SIGNING), [], {})
    address = "https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1"
    assert describe_target(options, "bedrock", BEDROCK) == address
    config = tmp_path / "config.json"
    config.write_text(json.dumps(options.setup.document))
    variables = options.function("api", "http://127.0.0.1:9", config).env
    assert {name: variables[name] for name in SIGNING} == SIGNING


@pytest.mark.parametrize("missing", ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"])
def test_bedrock_without_both_keys_is_simulated_and_none_is_passed_on(missing):
    found = build_target_setup(document(bedrock=BEDROCK), {**SIGNING, missing: ""})
    assert (found.simulated, found.signing) == (["bedrock"], {})
    played_target = played(document(bedrock=BEDROCK), {})["bedrock"]
    assert (played_target.address, played_target.region) == (f"{SIMULATOR}/bedrock", "eu-central-1")


def test_a_target_with_an_aws_identity_is_always_simulated():
    env = {"ANTIPHON_SECRET_AZURE": "client-secret", "AZURE_OPENAI_API_KEY": "k"}
    found = build_target_setup(document(azure=BY_IDENTITY), env)
    assert found.simulated == ["azure"]
    assert played(document(azure=BY_IDENTITY), env)["azure"].auth == "key"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('auth = "entra"', "gateway.toml: targets.a: auth"),
        ('auth = "entra"\nentra = 3', "gateway.toml: targets.a.entra: "),
        (
            'auth = "entra"\nentra = { tenant_id = "t" }',
            "gateway.toml: targets.a.entra.client_id: ",
        ),
        ('entra = { tenant_id = "t", client_id = "c" }', "gateway.toml: targets.a: auth"),
    ],
)
def test_an_error_in_entra_settings_is_reported_for_a_simulated_target(tmp_path, lines, message):
    path = tmp_path / "gateway.toml"
    path.write_text(f'[targets.a]\nprovider = "azure"\nmodels = {{ "m" = "d" }}\n{lines}')
    with pytest.raises(ConfigError) as raised:
        read_target_setup(path, {})
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("section", "wanted"),
    [
        (AZURE, "ANTIPHON_SECRET_A_B or AZURE_OPENAI_API_KEY"),
        (ENTRA, "ANTIPHON_SECRET_A_B (the client secret of its application in Entra ID)"),
        (BY_IDENTITY, "AWS identity, which only deployed functions have"),
        (
            BEDROCK,
            "AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, by which its requests are signed",
        ),
    ],
)
def test_the_start_lines_name_the_credential_that_a_simulated_target_needs(section, wanted):
    options = GatewayOptions([], build_target_setup(document(a_b=section), {}), [], {})
    assert describe_target(options, "a-b", section) == f"simulator, because there is no {wanted}"
