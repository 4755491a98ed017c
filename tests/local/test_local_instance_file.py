"""The note that a gateway leaves for the other commands."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager

import pytest

from infra.local import instance_file
from infra.local.instance_file import Instance


def of(aws, port=8080, pid=None):
    return Instance(
        url=f"http://127.0.0.1:{port}/v1",
        rest="http://127.0.0.1:8081/v1",
        aws_endpoint=f"http://127.0.0.1:{aws}",
        table="antiphon-local",
        key_cache_seconds=30.0,
        pid=os.getpid() if pid is None else pid,
    )


@contextmanager
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def ended():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_note_is_there_as_long_as_the_gateway_is(tmp_path):
    with listening() as aws, instance_file.publish_instance(of(aws), tmp_path / "new" / "folder"):
        (found,) = instance_file.find_instances(tmp_path / "new" / "folder")
        assert (found, found.port, found.is_running) == (of(aws), 8080, True)
        (path,) = (tmp_path / "new" / "folder").iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
    assert instance_file.find_instances(tmp_path / "new" / "folder") == []


def test_gateways_on_several_ports_leave_a_note_each(tmp_path):
    with (
        instance_file.publish_instance(of(1, port=1), tmp_path),
        instance_file.publish_instance(of(2, port=2), tmp_path),
    ):
        assert [each.port for each in instance_file.find_instances(tmp_path)] == [1, 2]


def test_the_next_gateway_on_a_port_takes_over_what_a_killed_one_has_left(tmp_path):
    instance_file.write_private_json(tmp_path / "8080.json", vars(of(1, pid=ended())))
    with instance_file.publish_instance(of(2), tmp_path):
        assert instance_file.find_instances(tmp_path) == [of(2)]
    assert instance_file.find_instances(tmp_path) == []


def test_a_note_whose_process_has_ended_is_of_no_gateway_that_serves():
    with listening() as aws:  # someone else has got that port
        assert not of(aws, pid=ended()).is_running


def test_a_note_at_whose_address_nobody_listens_is_of_no_gateway_that_serves():
    with listening() as aws:
        pass
    assert not of(aws).is_running


def test_a_note_that_cannot_be_left_does_not_keep_a_gateway_from_serving(tmp_path, capsys):
    (tmp_path / "file").touch()
    with instance_file.publish_instance(of(1), tmp_path / "file"):
        assert "Commands with --local will not find this gateway" in capsys.readouterr().err


def test_a_block_that_fails_takes_its_note_along(tmp_path):
    with pytest.raises(ZeroDivisionError), instance_file.publish_instance(of(1), tmp_path):
        raise ZeroDivisionError
    assert instance_file.find_instances(tmp_path) == []


def test_notes_are_in_the_project_unless_the_environment_names_a_folder(tmp_path):
    assert instance_file.instance_folder({}) == instance_file.ROOT / ".build" / "local"
    assert instance_file.instance_folder({"ANTIPHON_LOCAL_NOTES": str(tmp_path)}) == tmp_path
