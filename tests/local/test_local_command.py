"""The whole command as a process: how it starts, how it ends, what it leaves behind."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import boto3
import httpx
from click.testing import CliRunner

from antiphon.settings.table import INDEXES
from antiphon.store import keys
from infra.cli import main
from infra.local.command import next_port
from tests.local.gateway_rig import ROOT
from tests.support.processes import children

SECONDS = 120  # more than any step takes, also on a busy machine
ENV = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}


@contextmanager
def started(ready, **env):
    folders = {"TMPDIR": str(ready.parent), "ANTIPHON_LOCAL_NOTES": f"{ready.parent}-notes"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.local.serve", str(ready)],
        cwd=ROOT,
        env={**ENV, **folders, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def read_start_lines(process):
    """All start-up lines; the last one is printed after the ready file is written."""
    return "".join(iter(process.stdout.readline, "end           with Ctrl-C\n"))


@contextmanager
def watched(pids):
    """Handles that become readable when the processes end, also for processes of others."""
    handles = [os.pidfd_open(pid) for pid in pids]
    try:
        yield handles
    finally:
        for handle in handles:
            os.close(handle)


def ended(handle, milliseconds):
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(milliseconds))


def accepts(url):
    try:
        socket.create_connection((httpx.URL(url).host, httpx.URL(url).port)).close()
    except ConnectionRefusedError:
        return False
    return True


def assert_signal_leaves_nothing_behind(process, number, folder):
    left = children(process.pid)
    assert len(left) == 2  # AWS and the first of two runtimes
    assert list(folder.glob("antiphon-*/gateway.json"))
    with watched(left) as handles:
        process.send_signal(number)
        assert process.wait(SECONDS) == 0
        assert all(ended(handle, 0) for handle in handles)
    assert list(folder.iterdir()) == [folder / "ready.json"]
    assert not any(Path(f"{folder}-notes").iterdir())


def test_sigterm_ends_it_with_0_and_leaves_nothing_behind(tmp_path):
    with started(tmp_path / "ready.json") as process:
        read_start_lines(process)
        assert_signal_leaves_nothing_behind(process, signal.SIGTERM, tmp_path)


def test_a_signal_ends_it_with_0_while_it_is_starting(tmp_path):
    (tmp_path / "ready.json").write_text("from an earlier run")
    with started(tmp_path / "ready.json") as process:
        while not (left := children(process.pid)):
            pass
        with watched(left) as handles:
            process.terminate()
            assert process.wait(SECONDS) == 0
            assert all(ended(handle, 0) for handle in handles)
    assert list(tmp_path.iterdir()) == []


def test_a_second_signal_kills_processes_that_do_not_end(tmp_path):
    with started(tmp_path / "ready.json") as process:
        read_start_lines(process)
        url = json.loads((tmp_path / "ready.json").read_text())["url"]
        steps = [["send", "a"], ["deaf"]]
        with httpx.stream("POST", url, json=steps) as answer:
            chunks = answer.iter_raw()
            assert next(chunks) == b"a"
            with watched(children(process.pid)) as handles:
                process.send_signal(signal.SIGINT)
                while accepts(url):  # until the first signal is handled
                    pass
                process.send_signal(signal.SIGINT)
                assert process.wait(SECONDS) == 0  # the function would have an hour, see serve.py
                assert all(ended(handle, 0) for handle in handles)


def test_killed_it_leaves_no_process_behind(tmp_path):
    with started(tmp_path / "ready.json") as process:
        read_start_lines(process)
        with watched(children(process.pid)) as handles:
            process.kill()
            assert all(ended(handle, SECONDS * 1000) for handle in handles)


def test_the_start_lines_and_the_ready_file_describe_the_gateway_and_ctrl_c_ends_it(tmp_path):
    with started(tmp_path / "ready.json") as process:
        output = read_start_lines(process)
        ready = json.loads((tmp_path / "ready.json").read_text())
        assert (tmp_path / "ready.json").stat().st_mode & 0o777 == 0o600
        assert ready["keys"] == [{"tenant": "acme", "key": "key-of-acme"}]
        assert ready["simulator"] is None
        for value in (ready["url"], ready["rest"], ready["aws_endpoint"], ready["table"]):
            assert value in output
        assert "openai: https://api.openai.com/v1" in output
        assert re.search(
            rf"curl -N {ready['url']}/responses .*Bearer key-of-acme.*gpt-6.1-terra", output
        )
        _aws_is_as_the_stack_makes_it(ready)
        assert_signal_leaves_nothing_behind(process, signal.SIGINT, tmp_path)


def _aws_is_as_the_stack_makes_it(ready):
    place = {
        "endpoint_url": ready["aws_endpoint"],
        "region_name": "us-east-1",
        "aws_access_key_id": "any",
        "aws_secret_access_key": "any",
    }
    table = boto3.resource("dynamodb", **place).Table(ready["table"])
    row = keys.key_row("key-of-acme", "acme")
    held = table.get_item(Key={"pk": row["pk"], "sk": row["sk"]})["Item"]
    assert (held["id"], held["tenant"], set(held)) == (row["id"], "acme", set(row))
    assert {index["IndexName"] for index in table.global_secondary_indexes} == set(INDEXES)
    assert table.stream_specification["StreamViewType"] == "NEW_AND_OLD_IMAGES"
    secret = boto3.client("secretsmanager", **place).get_secret_value(
        SecretId="antiphon-local/openai"
    )
    assert secret["SecretString"] == "credential"


def test_a_function_that_cannot_start_ends_it_with_its_message(tmp_path):
    with started(tmp_path / "ready.json", POWERTOOLS_LOG_LEVEL="BROKEN") as process:
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "[ERROR] RuntimeError: this function cannot start\nTraceback" in errors  # its own log
    assert "The function did not start. RuntimeError: this function cannot start" in errors
    assert list(tmp_path.iterdir()) == []


def called(*arguments, **env):
    clean = {"OPENAI_API_KEY": None, "ANTIPHON_LOCAL_KEYS": None}
    return CliRunner().invoke(main, ["local", *arguments], env={**clean, **env})


def test_a_port_in_use_is_reported_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = called("--port", "0", "--rest-port", str(port))
    assert result.exit_code == 1
    assert result.output == (
        f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another port with "
        "`--rest-port PORT`, or `--rest-port 0` for any free one.\n"
    )


def names_the_port_after_a_taken_one():
    """With only --port given; False where another process has the port before the taken one."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        return f"127.0.0.1:{port}: " in called("--port", str(port - 1)).output


def test_the_port_of_api_gateway_moves_along():
    assert any(names_the_port_after_a_taken_one() for _ in range(20))
    assert [next_port(port) for port in (0, 8080, 65_535)] == [0, 8081, 65_534]


def test_an_invalid_configuration_is_reported_by_its_key(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text("[gateway]\nlinks_days = 0\n[targets.a]\nprovider = 'azure'\nmodels = []\n")
    result = called("--config", str(path))
    assert result.exit_code == 2
    assert "mine.toml: gateway.links_days: must be greater than" in result.output
    assert "mine.toml: targets.a: models: name at least one model" in result.output


def test_invalid_keys_are_refused_without_printing_them():
    result = called(ANTIPHON_LOCAL_KEYS="acme=short")
    assert result.exit_code == 2
    assert result.output.startswith("ANTIPHON_LOCAL_KEYS: entry 1 is not tenant=key")
    assert "short" not in result.output


def test_help_explains_options_variables_and_models():
    output = called("--help").output
    for word in ("--concurrency", "--ready-file", "ANTIPHON_LOCAL_KEYS", "sim-text"):
        assert word in output
