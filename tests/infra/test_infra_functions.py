import pathlib

import pytest
from moto.events.models import EventPattern

from antiphon.follow_up import MAX_POLL_SECONDS, RESERVED_SECONDS
from antiphon.foundation import QUEUE_SECONDS
from antiphon.settings.config import Gateway, Settings
from antiphon.store.dynamodb import marshal
from antiphon.store.links import FINAL, link_row
from antiphon.upstream import documents
from infra import bundle
from infra.constructs import function_specs
from infra.constructs.function_specs import FUNCTION_SPECS
from infra.link_changes import invokes_rollup
from tests.infra.synthesis import ALL_SOURCES, PROJECT, function, only, resources, template
from tests.infra.variants import EVERYTHING
from tests.support.dynamodb import make_link

FILTERS_OF_A_MAPPING = 5  # that Lambda takes, unless a quota is raised
TWO_WEEKS = 14 * 24 * 3600
STREAM_RETENTION = 24 * 3600  # seconds for which DynamoDB keeps a change in the stream
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
    } | {"TARGET_SECRETS": '{"openai": "arn"}'}
    settings = Settings.from_env({**given, "CONFIG_FILE": str(PROJECT / "gateway.toml")})
    assert settings.table_name == "made"
    assert settings.secrets == {"openai": "arn"}


def test_the_reference_is_an_option(api):
    without = function(template(**EVERYTHING), "api")
    made = [each["Environment"]["Variables"]["SERVE_DOCS"] for each in (api, without)]
    assert made == ["true", "false"]


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
    made = template(**EVERYTHING)
    api = function(made, "api")
    assert (api["Architectures"], api["MemorySize"]) == (["x86_64"], 1024)
    assert api["LoggingConfig"]["ApplicationLogLevel"] == "DEBUG"
    assert api["ReservedConcurrentExecutions"] == 50
    assert {g["RetentionInDays"] for g in resources(made, "Logs::LogGroup").values()} == {90}


def test_default_is_arm64_with_512_mb(api):
    assert (api["Architectures"], api["MemorySize"]) == (["arm64"], 512)
    assert "ReservedConcurrentExecutions" not in api


def test_queue_trigger_reports_partial_failures():
    made = template(ALL_SOURCES)
    assert queue_mapping(made)["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    # AWS recommends a visibility timeout of six times the function's timeout.
    worker = function(made, "worker")
    assert waiting_queue(made)[0]["VisibilityTimeout"] == 6 * worker["Timeout"]


def test_stream_trigger_starts_at_the_oldest_change_and_has_dead_letters():
    made = template(ALL_SOURCES)
    mapping = only(made, "Lambda::EventSourceMapping", StartingPosition="TRIM_HORIZON")
    (table,) = resources(made, "DynamoDB::GlobalTable")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [table, "StreamArn"]}
    assert mapping["BisectBatchOnFunctionError"] is True
    lost = mapping["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]
    assert lost not in {waiting_queue(made)[1], dead_letters(made)}
    assert resources(made, "SQS::Queue")[lost]["MessageRetentionPeriod"] == TWO_WEEKS


def test_changes_are_retried_until_the_stream_is_about_to_lose_them():
    mapping = only(template(), "Lambda::EventSourceMapping", StartingPosition="TRIM_HORIZON")
    assert mapping["MaximumRetryAttempts"] == -1
    left = STREAM_RETENTION - mapping["MaximumRecordAgeInSeconds"]
    assert 0 < left <= 2 * 3600


@pytest.fixture(scope="module")
def invokes():
    """Whether one of the trigger's filters lets a record invoke the rollup function."""
    mapping = only(template(), "Lambda::EventSourceMapping", StartingPosition="TRIM_HORIZON")
    filters = mapping["FilterCriteria"]["Filters"]
    assert len(filters) <= FILTERS_OF_A_MAPPING
    patterns = [EventPattern.load(each["Pattern"]) for each in filters]

    def decide(record):
        decided = any(pattern.matches_event(record) for pattern in patterns)
        assert invokes_rollup(record) == decided  # the gateway on this machine decides alike
        return decided

    return decide


def make_record(event, sort="LINK", **link):
    image = marshal({**link_row(make_link(**link)), "sk": sort})
    images = {"NewImage": image, "OldImage": image}
    absent = {"INSERT": "OldImage", "REMOVE": "NewImage"}.get(event)
    keys = {name: image[name] for name in ("pk", "sk")}
    return {
        "eventName": event,
        "dynamodb": {"Keys": keys, **{name: images[name] for name in images if name != absent}},
    }


def test_every_new_and_changed_link_invokes_rollup_and_no_other_row(invokes):
    for event in ("INSERT", "MODIFY"):
        assert invokes(make_record(event))
        assert invokes(make_record(event, kind="file"))
        assert not invokes(make_record(event, "COUNTED"))
    assert not invokes(make_record("REMOVE", "COUNTED", kind="file"))


def test_the_removal_of_a_link_invokes_rollup_where_it_may_change_what_is_counted(invokes):
    assert not any(invokes(make_record("REMOVE", status=status)) for status in FINAL)
    assert invokes(make_record("REMOVE", status="in_progress"))
    assert invokes(make_record("REMOVE", status="in_progress", unfinished="cut"))
    for kind in ("file", "vector_store", "container", "batch", "compaction"):
        assert invokes(make_record("REMOVE", kind=kind))


def test_dead_letters_are_retained_for_two_weeks():
    made = template()
    assert resources(made, "SQS::Queue")[dead_letters(made)]["MessageRetentionPeriod"] == TWO_WEEKS


def test_only_the_function_that_sends_to_its_own_queue_may_be_invoked_recursively():
    made = template()
    loops = {name: function(made, name).get("RecursiveLoop") for name in FILES}
    assert loops == {"api": None, "rollup": None, "settle": "Allow"}


def test_settle_takes_no_more_than_its_share_of_the_account():
    def concurrency(**chosen):
        return queue_mapping(template(**chosen))["ScalingConfig"]["MaximumConcurrency"]

    assert (concurrency(), concurrency(**EVERYTHING)) == (10, 50)


def test_a_batch_of_the_slowest_messages_ends_in_time():
    """A poll, a new credential because of a 401, and the writes: all at their limits of time."""
    secret = 2 * (1 + 2)  # two attempts: to connect, and to read
    token = documents.TIMEOUTS["connect"] + 2 * documents.SECONDS  # its head, and its body
    connecting = 4 / 3  # the last call of a service may take a third of its time to connect
    writes = connecting * (Gateway().table_seconds + QUEUE_SECONDS)
    (settle,) = (spec for spec in FUNCTION_SPECS if spec.name == "settle")
    assert MAX_POLL_SECONDS + secret + token + writes <= settle.message_seconds
    assert RESERVED_SECONDS <= function_specs.RESERVED_SECONDS
    made = template()
    size, timeout = queue_mapping(made)["BatchSize"], function(made, "settle")["Timeout"]
    assert size == 2
    assert size * settle.message_seconds + RESERVED_SECONDS <= timeout


def queue_mapping(made):
    (mapping,) = (
        mapping
        for mapping in resources(made, "Lambda::EventSourceMapping").values()
        if "StartingPosition" not in mapping
    )
    return mapping


def waiting_queue(made):
    """Return the properties of the queue that settle reads, and its logical id."""
    name = queue_mapping(made)["EventSourceArn"]["Fn::GetAtt"][0]
    return resources(made, "SQS::Queue")[name], name


def dead_letters(made):
    """Return the logical id of the queue of its dead letters."""
    return waiting_queue(made)[0]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
