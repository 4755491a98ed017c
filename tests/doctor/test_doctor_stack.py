"""`antiphon doctor --stage` against a stack in moto, with one fault at a time."""

import json
import re

import pytest

from infra.doctor.report import wrap_command
from infra.doctor.stack_checklist import STACK_CHECKS
from tests.doctor import stack_account
from tests.doctor.stack_account import ALARM, client, find
from tests.support import moto_lambda
from tests.support.commands import OPERATOR_ENVIRONMENT, run_antiphon
from tests.support.permissions import actions_of, allow_only

CHECKS = {check.name for check in STACK_CHECKS}
FIND = "cloudformation:DescribeStacks"
CHECK_ACTIONS = {FIND, *actions_of("Check")}


@pytest.fixture(autouse=True)
def _stack(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with stack_account.healthy_stack():
        yield


def checked(*options, env=OPERATOR_ENVIRONMENT):
    """Return the exit status and the rows of the checks by name."""
    config = ("--config", str(stack_account.CONFIG))
    done = run_antiphon("doctor", "--stage", "prod", "--json", *config, *options, env=env)
    rows = json.loads(done.out)["stack"]["checks"]
    return done.code, {row["check"]: row for row in rows}


def failing(rows):
    return {name for name, row in rows.items() if row["verdict"] == "fails"}


def test_healthy_stack_passes_all_checks():
    code, rows = checked()
    assert (code, {row["verdict"] for row in rows.values()}) == (0, {"ok"}), rows
    assert rows.keys() == CHECKS


def update_source(logical_id, **settings):
    client("lambda").update_event_source_mapping(UUID=find(logical_id), **settings)


def reserve(count):
    client("lambda").put_function_concurrency(
        FunctionName=find("ApiF70053CD"), ReservedConcurrentExecutions=count
    )


def send(queue):
    client("sqs").send_message(QueueUrl=find(queue), MessageBody="x")


def delete_secret(name="azure-east", **deletion):
    client("secretsmanager").delete_secret(SecretId=f"generated-{name}", **deletion)


def unsubscribe():
    for each in client("sns").list_subscriptions()["Subscriptions"]:
        client("sns").unsubscribe(SubscriptionArn=each["SubscriptionArn"])


def set_alarm():
    client("cloudwatch").set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="x")


# By fault: the check that fails, what causes it, what is seen, a part of the advice or a command.
FAULTS = {
    "a deployment was rolled back": (
        "stack",
        lambda: stack_account.set_status("UPDATE_ROLLBACK_COMPLETE"),
        "UPDATE_ROLLBACK_COMPLETE",
        "describe-stack-events --stack-name Antiphon-prod",
    ),
    "the account is new": (
        "concurrency",
        lambda: moto_lambda.set_quota(10),
        "10 invocations at once",
        "request-service-quota-increase --service-code lambda --quota-code L-B99A9384",
    ),
    "a function is switched off": (
        "reserved",
        lambda: reserve(0),
        "api: the reserved concurrency is 0",
        "delete-function-concurrency --function-name Antiphon-prod-Api",
    ),
    "loops are detected": (
        "recursion",
        lambda: stack_account.allow_recursion("Terminate"),
        "settle: Terminate",
        "--recursive-loop Allow",
    ),
    "an event source is disabled": (
        "event-sources",
        lambda: update_source("SettleQueue77AA", Enabled=False),
        ": Disabled",
        "update-event-source-mapping --uuid",
    ),
    "invocations fail": (
        "event-sources",
        lambda: stack_account.set_result("RollupChanges88", "PROBLEM: Function call failed"),
        "PROBLEM: Function call failed",
        "logs tail --since 1h /aws/lambda/Antiphon-prod-Rollup",
    ),
    "an event source is deleted": (
        "event-sources",
        lambda: client("lambda").delete_event_source_mapping(UUID=find("SettleQueue77AA")),
        "does not exist",
        "create-event-source-mapping",
    ),
    "a secret has the placeholder": (
        "secrets",
        lambda: stack_account.forget_secret("azure-east"),
        "Credential of Antiphon's target azure-east, as plain text: still the stack's placeholder",
        "antiphon secrets put azure-east --stage prod --region us-east-1",
    ),
    "a secret is being deleted": (
        "secrets",
        delete_secret,
        "azure-east, as plain text: scheduled for deletion",
        "restore-secret --secret-id arn:",
    ),
    "a secret is deleted": (
        "secrets",
        lambda: delete_secret(ForceDeleteWithoutRecovery=True),
        "does not exist",
        "Remove its target from gateway.toml",
    ),
    "the signing secret is being deleted": (
        "webhooks",
        lambda: delete_secret("signing"),
        "Signs the webhooks of Antiphon prod: scheduled for deletion",
        "restore-secret --secret-id arn:",
    ),
    "the signing secret is deleted": (
        "webhooks",
        lambda: delete_secret("signing", ForceDeleteWithoutRecovery=True),
        "does not exist",
        "Remove [webhooks] from gateway.toml",
    ),
    "the role may not call the models": (
        "bedrock",
        lambda: stack_account.allow_bedrock(stack_account.BEDROCK["Statement"][1:]),
        f"bedrock: the role of api may not do bedrock:InvokeModel on {stack_account.MODELS} (",
        "make deploy",
    ),
    "the role may not read what is stored": (
        "bedrock",
        lambda: stack_account.allow_bedrock(stack_account.BEDROCK["Statement"][:2]),
        "bedrock:GetInvoke on *",
        "a permissions boundary",
    ),
    "there are dead letters": (
        "dead-letters",
        lambda: send("DeadLettersAB12"),
        "1 in Antiphon-prod-DeadLetters",
        "start-message-move-task --source-arn arn:aws:sqs:us-east-1:123456789012:Antiphon-prod-De",
    ),
    "changes of the table are lost": (
        "dead-letters",
        lambda: send("LostChangesCD34"),
        "1 in Antiphon-prod-LostChanges",
        "purge-queue --queue-url https://",
    ),
    "nobody is subscribed": (
        "subscription",
        unsubscribe,
        "nobody is subscribed",
        "sns subscribe --topic-arn arn:",
    ),
    "the subscription is not confirmed": (
        "subscription",
        stack_account.set_pending,
        "not confirmed: ops@example.com",
        "--notification-endpoint ops@example.com",
    ),
    "an alarm is active": ("alarms", set_alarm, f"{ALARM} since 20", "Look for [ERROR]"),
    "an alarm is disabled": (
        "alarms",
        lambda: client("cloudwatch").disable_alarm_actions(AlarmNames=[ALARM]),
        f"disabled: {ALARM}",
        f"enable-alarm-actions --alarm-names {ALARM}",
    ),
    "an alarm is deleted": (
        "alarms",
        lambda: client("cloudwatch").delete_alarms(AlarmNames=[ALARM]),
        f"do not exist: {ALARM}",
        "deploy once without them",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_detected_with_what_mends_it(fault):
    name, cause, seen, mends = FAULTS[fault]
    cause()
    code, rows = checked()
    assert (code, failing(rows)) == (1, {name}), rows
    assert seen in rows[name]["seen"]
    assert mends in "\n".join([rows[name]["advice"], *rows[name]["commands"]])


def test_another_local_file_than_the_deployed_one_fails(tmp_path):
    file = tmp_path / "gateway.toml"
    text = '[targets.openai]\nprovider = "openai"\nmodels = ["gpt-*"]\n'
    for content, seen in ((text, "deployed "), ("targets = 1", "gateway.toml: targets: ")):
        file.write_text(content)
        code, rows = checked("--config", str(file))
        assert (code, failing(rows)) == (1, {"config"})
        assert seen in rows["config"]["seen"]
    rows = checked("--config", str(tmp_path / "none"))[1]
    assert {rows[name]["verdict"] for name in ("config", "bedrock")} == {"skipped"}


def test_a_region_without_the_endpoint_fails(tmp_path):
    """Another file than the deployed one, so that the check of the file fails as well."""
    file, text = tmp_path / "gateway.toml", stack_account.CONFIG.read_text()
    file.write_text(text.replace("//localhost/", "//bedrock-runtime.us-east-1.invalid/"))
    _, rows = checked("--config", str(file))
    assert failing(rows) == {"config", "bedrock"}
    assert "the host bedrock-runtime.us-east-1.invalid is not known" in rows["bedrock"]["seen"]
    assert "Correct region, endpoint or base_url of [targets.bedrock]" in rows["bedrock"]["advice"]


def test_operator_policy_allows_all_checks_and_nothing_that_they_do_not_use():
    stack_account.set_result("RollupChanges88", "PROBLEM: Function call failed")
    with allow_only(CHECK_ACTIONS) as used:
        _, rows = checked()
    assert {row["verdict"] for row in rows.values()} == {"ok", "fails"}
    assert used == CHECK_ACTIONS


def test_missing_permissions_are_named():
    stack_account.set_result("RollupChanges88", "PROBLEM: Function call failed")
    for missing in CHECK_ACTIONS - {FIND}:
        with allow_only(CHECK_ACTIONS - {missing}):
            _, rows = checked()
        named = [row for row in rows.values() if missing in row["seen"]]
        assert {row["verdict"] for row in named} == {"skipped"}, missing
        assert all(missing in row["advice"] for row in named)


def test_stack_that_may_not_be_read_is_an_error():
    with allow_only(()):
        done = run_antiphon("doctor", "--stage", "prod")
    assert done.code == 1
    assert "do not allow this.\n" in done.err
    assert f"is not authorized to perform: {FIND}" in done.err


def test_output_fits_80_columns_and_commands_can_be_copied():
    stack_account.set_pending()
    delete_secret()
    done = run_antiphon("doctor", "--stage", "prod", env={**OPERATOR_ENVIRONMENT, "COLUMNS": "80"})
    lines = done.out.splitlines()
    assert max(len(line) for line in lines if " " in line.strip(" \\")) <= 80  # or one word
    command = done.out[done.out.index("aws sns subscribe") :].partition("\n\n")[0]
    assert re.sub(r" \\\n\s*", " ", command).endswith(
        "--notification-endpoint ops@example.com --region us-east-1"
    )
    assert (
        "  arn:aws:secretsmanager:us-east-1:123456789012:secret:generated-azure-east-" in done.out
    )
    assert f"antiphon doctor {stack_account.URL}" in done.out


def test_long_words_of_a_command_stay_whole():
    word = "x" * 90
    assert wrap_command(f"aws sqs {word} --region y") == [
        "aws sqs \\",
        f"  {word} \\",
        "  --region y",
    ]


def test_every_check_of_a_stack_is_shown_to_fail():
    assert {name for name, *_ in FAULTS.values()} | {"config"} == CHECKS
