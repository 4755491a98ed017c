import pathlib

import pytest

from antiphon.settings.config import Settings
from infra import bundle
from infra.constructs.doors import DOORS
from tests.infra.synthesis import ALL_KINDS, PROJECT, function, only, resources, template

FILES = {path.stem for path in pathlib.Path(PROJECT, "functions").glob("*.py")}


@pytest.fixture(scope="module")
def api():
    return function(template(), "api")


def test_every_row_is_a_file_and_every_file_a_row():
    assert {door.name for door in DOORS} == FILES


def test_the_api_is_started_by_our_wrapper_on_the_managed_runtime(api):
    wrapper = api["Environment"]["Variables"]["AWS_LAMBDA_EXEC_WRAPPER"]
    assert wrapper == f"{bundle.TASK_ROOT}/start-streaming"
    assert api["Runtime"] == f"python{bundle.PYTHON}"


def test_the_others_are_started_by_the_runtime_itself():
    worker = function(template(ALL_KINDS), "worker")
    assert "AWS_LAMBDA_EXEC_WRAPPER" not in worker["Environment"]["Variables"]


def test_the_api_may_take_as_long_as_lambda_allows(api):
    assert api["Timeout"] == 900


def test_its_environment_is_what_the_settings_read(api):
    given = {
        k: v if isinstance(v, str) else "made" for k, v in api["Environment"]["Variables"].items()
    }
    settings = Settings.from_env({**given, "CONFIG_FILE": str(PROJECT / "gateway.toml")})
    assert settings.table_name == "made"
    assert settings.secret_prefix == "antiphon/prod"


def test_all_run_the_same_asset():
    functions = resources(template(ALL_KINDS), "Lambda::Function").values()
    assert len(functions) == len(ALL_KINDS)
    assert len({str(made["Code"]) for made in functions}) == 1


def test_it_is_traced_without_a_tracer_and_logs_json_to_a_group_of_its_own(api):
    assert api["TracingConfig"] == {"Mode": "Active"}
    assert api["LoggingConfig"]["LogFormat"] == "JSON"
    group = api["LoggingConfig"]["LogGroup"]["Ref"]
    assert resources(template(), "Logs::LogGroup")[group]["RetentionInDays"] == 30


def test_it_is_in_no_vpc(api):
    assert "VpcConfig" not in api


def test_processor_memory_log_level_retention_and_concurrency_are_options():
    made = template(
        arch="x86_64", memory=1024, log_level="DEBUG", log_days=90, reserved_concurrency=20
    )
    api = function(made, "api")
    assert (api["Architectures"], api["MemorySize"]) == (["x86_64"], 1024)
    assert api["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
    assert api["ReservedConcurrentExecutions"] == 20
    assert {g["RetentionInDays"] for g in resources(made, "Logs::LogGroup").values()} == {90}


def test_arm_512_mb_and_the_account_s_concurrency_are_what_you_get_else(api):
    assert (api["Architectures"], api["MemorySize"]) == (["arm64"], 512)
    assert "ReservedConcurrentExecutions" not in api


def test_the_queue_s_function_is_given_what_is_on_it_and_fails_one_by_one():
    made = template(ALL_KINDS)
    (mapping,) = (
        mapping
        for mapping in resources(made, "Lambda::EventSourceMapping").values()
        if "StartingPosition" not in mapping
    )
    queue, attribute = mapping["EventSourceArn"]["Fn::GetAtt"]
    assert attribute == "Arn"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # A message stays hidden for six runs, as AWS advises.
    worker = function(made, "worker")
    assert resources(made, "SQS::Queue")[queue]["VisibilityTimeout"] == 6 * worker["Timeout"]


def test_the_stream_s_function_is_given_every_change_and_what_fails_is_not_lost():
    made = template(ALL_KINDS)
    mapping = only(made, "Lambda::EventSourceMapping", StartingPosition="TRIM_HORIZON")
    (table,) = resources(made, "DynamoDB::Table")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [table, "StreamArn"]}
    assert mapping["BisectBatchOnFunctionError"] is True
    dead = mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    assert dead in resources(made, "SQS::Queue")


def test_what_cannot_be_done_goes_to_a_queue_of_its_own_and_stays_for_two_weeks():
    queues = resources(template(), "SQS::Queue")
    (waiting,) = (queue for queue in queues.values() if "RedrivePolicy" in queue)
    dead = waiting["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
    assert queues[dead]["MessageRetentionPeriod"] == 14 * 24 * 3600
