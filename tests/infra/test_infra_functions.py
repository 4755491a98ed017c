import pathlib

import pytest

from antiphon.settings.config import Settings
from infra import bundle
from infra.constructs.function_specs import FUNCTION_SPECS
from tests.infra.synthesis import ALL_SOURCES, PROJECT, function, only, resources, template

FILES = {path.stem for path in pathlib.Path(PROJECT, "functions").glob("*.py")}


@pytest.fixture(scope="module")
def api():
    return function(template(), "api")


def test_every_file_has_a_function_spec():
    assert {spec.name for spec in FUNCTION_SPECS} == FILES


def test_api_uses_the_wrapper_on_the_managed_runtime(api):
    wrapper = api["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"]
    assert wrapper == f"{bundle.TASK_ROOT}/start-streaming"
    assert api["Runtime"] == f"python{bundle.PYTHON}"


def test_other_functions_have_no_wrapper():
    worker = function(template(ALL_SOURCES), "worker")
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in worker["Environment"]["Variables"]


def test_api_has_the_maximum_timeout(api):
    assert api["Timeout"] == 900


def test_settings_can_read_the_environment(api):
    given = {
        k: v if isinstance(v, str) else "made" for k, v in api["Environment"]["Variables"].items()
    }
    settings = Settings.from_env({**given, "CONFIG_FILE": str(PROJECT / "gateway.toml")})
    assert settings.table_name == "made"
    assert settings.secret_prefix == "antiphon/prod"


def test_all_functions_use_the_same_asset():
    functions = resources(template(ALL_SOURCES), "Lambda::Function").values()
    assert len(functions) == len(ALL_SOURCES)
    assert len({str(made["Code"]) for made in functions}) == 1


def test_tracing_is_active_and_logs_are_json_in_an_own_group(api):
    assert api["TracingConfig"] == {"Mode": "Active"}
    assert api["LoggingConfig"]["LogFormat"] == "JSON"
    group = api["LoggingConfig"]["LogGroup"]["Ref"]
    assert resources(template(), "Logs::LogGroup")[group]["RetentionInDays"] == 30


def test_api_is_not_in_a_vpc(api):
    assert "VpcConfig" not in api


def test_architecture_memory_logs_and_concurrency_are_options():
    made = template(
        arch="x86_64", memory=1024, log_level="DEBUG", log_days=90, reserved_concurrency=20
    )
    api = function(made, "api")
    assert (api["Architectures"], api["MemorySize"]) == (["x86_64"], 1024)
    assert api["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
    assert api["ReservedConcurrentExecutions"] == 20
    assert {g["RetentionInDays"] for g in resources(made, "Logs::LogGroup").values()} == {90}


def test_default_is_arm64_with_512_mb(api):
    assert (api["Architectures"], api["MemorySize"]) == (["arm64"], 512)
    assert "ReservedConcurrentExecutions" not in api


def test_queue_trigger_reports_partial_failures():
    made = template(ALL_SOURCES)
    (mapping,) = (
        mapping
        for mapping in resources(made, "Lambda::EventSourceMapping").values()
        if "StartingPosition" not in mapping
    )
    queue, attribute = mapping["EventSourceArn"]["Fn::GetAtt"]
    assert attribute == "Arn"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # AWS recommends a visibility timeout of six times the function's timeout.
    worker = function(made, "worker")
    assert resources(made, "SQS::Queue")[queue]["VisibilityTimeout"] == 6 * worker["Timeout"]


def test_stream_trigger_starts_at_the_oldest_change_and_has_dead_letters():
    made = template(ALL_SOURCES)
    mapping = only(made, "Lambda::EventSourceMapping", StartingPosition="TRIM_HORIZON")
    (table,) = resources(made, "DynamoDB::Table")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [table, "StreamArn"]}
    assert mapping["BisectBatchOnFunctionError"] is True
    dead = mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    assert dead in resources(made, "SQS::Queue")


def test_dead_letters_are_retained_for_two_weeks():
    queues = resources(template(), "SQS::Queue")
    (waiting,) = (queue for queue in queues.values() if "RedrivePolicy" in queue)
    dead = waiting["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert queues[dead]["MessageRetentionPeriod"] == 14 * 24 * 3600
