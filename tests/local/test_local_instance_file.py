"""The file by which commands find a local gateway."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from infra.local import instance_file
from infra.local.instance_file import Instance


def make_instance(aws, port=8080, pid=None):
    return Instance(
        url=f"http://127.0.0.1:{port}/v1",
        rest="http://127.0.0.1:8081/v1",
        aws_endpoint=f"http://127.0.0.1:{aws}",
        table="antiphon-local",
        key_cache_seconds=30.0,
        pid=os.getpid() if pid is None else pid,
        targets=["openai"],
    )


@contextmanager
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def ended():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_file_exists_as_long_as_the_gateway(tmp_path):
    with (
        listening() as aws,
        instance_file.publish_instance(make_instance(aws), tmp_path / "new" / "folder"),
    ):
        (found,) = instance_file.find_instances(tmp_path / "new" / "folder")
        assert (found, found.port, found.is_running) == (make_instance(aws), 8080, True)
        (path,) = (tmp_path / "new" / "folder").iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
    assert instance_file.find_instances(tmp_path / "new" / "folder") == []


def test_gateways_on_several_ports_have_a_file_each(tmp_path):
    with (
        instance_file.publish_instance(make_instance(1, port=1), tmp_path),
        instance_file.publish_instance(make_instance(2, port=2), tmp_path),
    ):
        assert [each.port for each in instance_file.find_instances(tmp_path)] == [1, 2]


def test_the_next_gateway_on_a_port_replaces_the_file_of_a_killed_one(tmp_path):
    instance_file.write_private_json(tmp_path / "8080.json", vars(make_instance(1, pid=ended())))
    with instance_file.publish_instance(make_instance(2), tmp_path):
        assert instance_file.find_instances(tmp_path) == [make_instance(2)]
    assert instance_file.find_instances(tmp_path) == []


def test_an_instance_without_its_process_is_not_running():
    with listening() as aws:  # another process got the port
        assert not make_instance(aws, pid=ended()).is_running


def test_an_instance_without_its_aws_is_not_running():
    with listening() as aws:
        pass
    assert not make_instance(aws).is_running


def test_a_gateway_runs_without_its_file(tmp_path, capsys):
    (tmp_path / "file").touch()
    with instance_file.publish_instance(make_instance(1), tmp_path / "file"):
        assert "Commands with --local will not find this gateway" in capsys.readouterr().err


def test_the_file_is_removed_after_an_error(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        instance_file.publish_instance(make_instance(1), tmp_path),
    ):
        raise ZeroDivisionError
    assert instance_file.find_instances(tmp_path) == []


def test_files_are_in_the_project_unless_the_environment_names_a_folder(tmp_path):
    assert instance_file.instance_folder({}) == instance_file.PROJECT / ".build" / "local"
    assert instance_file.instance_folder({"ANTIPHON_LOCAL_NOTES": str(tmp_path)}) == tmp_path
