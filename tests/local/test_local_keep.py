"""`antiphon local --keep`: what a gateway has is there again at the next start."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from click.testing import CliRunner

from antiphon.store.keys import key_partition, key_row
from infra.cli import main
from infra.local.aws.resources import QUEUE, TABLE, Resources, queue_url
from infra.local.aws.snapshot import Snapshot, UnreadableSnapshot, read_snapshot
from infra.local.keep import KeepFailed, keep_keys, use_folder
from infra.local.options import parse_keys
from infra.local.runtime_api.function import child_environment
from tests.local.gateway_rig import ROOT
from tests.support.aws_clients import aws_client, aws_table
from tests.support.concurrency import wait_for

CONFIG = '[targets.simulated]\nprovider = "openai"\nmodels = ["sim-*"]\n'
ROW = {
    "pk": "T#acme#R#resp_1",
    "sk": "LINK",
    "number": 5,
    "nested": {"list": [1, "ä", True, None], "map": {"a": "b"}},
}
KEYS = [("key-one-0123", "acme"), ("key-two-0123", "umbra")]


@contextmanager
def local_aws(folder, keys=KEYS, end=signal.SIGTERM):
    """The AWS of a local gateway alone, ended by a signal."""
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local.aws.server"],
        cwd=ROOT,
        env=child_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        process.stdin.write(Resources(keys, {}, str(folder)).to_line())
        process.stdin.flush()
        yield process.stdout.readline().split()[-1].decode()
        process.send_signal(end)
        assert process.wait(120) in {0, -signal.SIGKILL}


def open_table(aws):
    return aws_table(TABLE, aws)


def open_queue(aws):
    return aws_client("sqs", endpoint=aws)


def find(table, row):
    return table.get_item(Key={name: row[name] for name in ("pk", "sk")}).get("Item")


def test_rows_and_messages_survive_a_restart_and_a_kill(tmp_path):
    now = int(time.time())
    with local_aws(tmp_path) as aws:
        table = open_table(aws)
        table.put_item(Item=ROW)
        table.put_item(Item={"pk": "expired", "sk": "x", "expires_at": now - 5})
        table.put_item(Item={**key_row(*KEYS[0]), "revoked_at": now})
        sqs = open_queue(aws)
        for body, delay in (('{"kind":"poll"}', 0), ("later", 600)):
            sqs.send_message(QueueUrl=queue_url(aws), MessageBody=body, DelaySeconds=delay)
    assert (tmp_path / "aws.json").stat().st_mode & 0o777 == 0o600
    with local_aws(tmp_path, KEYS[:1], end=signal.SIGKILL) as aws:
        table = open_table(aws)
        assert find(table, ROW) == ROW
        assert find(table, {"pk": "expired", "sk": "x"}) is None
        assert find(table, key_row(*KEYS[0]))["revoked_at"] == now  # also where it is given again
        assert find(table, key_row(*KEYS[1])) is None  # not given any more
        received = open_queue(aws).receive_message(
            QueueUrl=queue_url(aws), MaxNumberOfMessages=10, WaitTimeSeconds=0
        )
        assert [each["Body"] for each in received["Messages"]] == ['{"kind":"poll"}']
        table.update_item(
            Key={"pk": ROW["pk"], "sk": "LINK"}, AttributeUpdates={"number": {"Value": 6}}
        )
        wait_for((tmp_path / "aws.json").read_text, lambda text: '"number":{"N":"6"}' in text)
    kept = read_snapshot(tmp_path)
    assert [row["number"]["N"] for row in kept.rows if "number" in row] == ["6"]
    assert [each["body"] for each in kept.messages[QUEUE]] == ['{"kind":"poll"}', "later"]
    assert kept.messages[QUEUE][1]["delayed_until"] > now + 500


def test_the_previous_file_remains_while_a_new_one_is_written(tmp_path):
    Snapshot(rows=[{"pk": {"S": "a"}}]).write(tmp_path)
    (tmp_path / "aws.json.new").write_text('{"version":1,"rows":[{"pk"')  # as after a kill
    assert read_snapshot(tmp_path).rows == [{"pk": {"S": "a"}}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cannot be read. Move it away to start anew."),
        ("[]", "cannot be read"),
        ('{"version":1,"more":1}', "cannot be read"),
        ('{"version":2}', "has version 2, and this is 1."),
    ],
)
def test_a_file_that_is_no_snapshot_is_refused(tmp_path, text, message):
    (tmp_path / "aws.json").write_text(text)
    with pytest.raises(UnreadableSnapshot) as refused:
        read_snapshot(tmp_path)
    assert message in str(refused.value)
    with pytest.raises(KeepFailed), use_folder(tmp_path):
        pass


def test_a_folder_is_used_by_one_gateway_at_a_time(tmp_path):
    folder = tmp_path / "a" / "b"
    with use_folder(folder):
        refused = CliRunner().invoke(main, ["local", "--keep", str(folder)])
        assert (refused.exit_code, refused.output) == (
            2,
            f"--keep {folder}: another gateway uses it now.\n",
        )
    with use_folder(folder):
        pass
    (tmp_path / "file").touch()
    with pytest.raises(KeepFailed, match="Not a directory"), use_folder(tmp_path / "file" / "x"):
        pass


def test_a_random_key_stays_the_same(tmp_path):
    first = keep_keys(tmp_path, parse_keys)
    assert keep_keys(tmp_path, parse_keys) == first != parse_keys(None)
    assert (tmp_path / "keys.json").stat().st_mode & 0o777 == 0o600
    for text in ('{"version":2,"keys":[]}', '{"keys":1}', ""):
        (tmp_path / "keys.json").write_text(text)
        with pytest.raises(KeepFailed):
            keep_keys(tmp_path, parse_keys)


@contextmanager
def running_gateway(tmp_path):
    """A gateway with a random key, as `make run ARGS="--keep DIR"` starts it."""
    ready, config = tmp_path / "ready.json", tmp_path / "gateway.toml"
    ready.unlink(missing_ok=True)
    config.write_text(CONFIG)
    options = {"--port": 0, "--rest-port": 0, "--concurrency": 1, "--config": config}
    options |= {"--ready-file": ready, "--keep": tmp_path / "kept"}
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "infra.cli",
            "local",
            *(str(x) for pair in options.items() for x in pair),
        ],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "ANTIPHON_LOCAL_NOTES": str(tmp_path / "notes")},
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = "".join(iter(process.stdout.readline, "end           with Ctrl-C\n"))
    drain = threading.Thread(target=process.stdout.read)
    drain.start()
    found = json.loads(ready.read_text())
    headers = {"authorization": f"Bearer {found['keys'][0]['key']}"}
    try:
        with httpx.Client(base_url=found["url"], headers=headers, timeout=60) as client:
            yield found["keys"], client, lines
    finally:
        process.terminate()
        assert process.wait(120) == 0
        drain.join()
        process.stdout.close()


def test_a_gateway_that_is_started_again_has_its_key_and_its_responses(tmp_path):
    with running_gateway(tmp_path) as (keys, client, lines):
        assert (
            f"table, keys and queue stay in {tmp_path / 'kept'}, but nothing that the sim" in lines
        )
        created = client.post("/responses", json={"model": "sim-text", "input": "Hello."})
        assert created.status_code == 200
    with running_gateway(tmp_path) as (same, client, _):
        assert same == keys
        listed = client.get("/responses").json()["data"]
        assert [each["id"] for each in listed] == [created.json()["id"]]
        # Counted once, although the table's stream has the row again.
        usage = wait_for(lambda: client.get("/usage").json()["data"], bool)
        assert [day["requests"] for day in usage] == [1]
    assert key_partition(keys[0]["key"]) in (tmp_path / "kept" / "aws.json").read_text()
