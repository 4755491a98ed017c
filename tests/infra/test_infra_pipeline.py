"""Deployment without a person: `make deploy` without a terminal, and the example of a workflow."""

import os
import pty
import re
import shutil
import subprocess

import pytest
import yaml

from infra.bundle import _find_uv
from infra.constructs.options import parse_options
from tests.infra.synthesis import PROJECT

WORKFLOW = PROJECT / "docs" / "deploy-workflow.yml"
NO_APPROVAL = "--require-approval never"


@pytest.fixture
def terminal():
    controller, end = pty.openpty()
    yield end
    os.close(end)
    os.close(controller)


def deploy_command(stdin, arguments=""):
    """Return the command that `make deploy` runs."""
    # UV=true: what is locked is installed already, and the CDK is not to be started.
    variables = ["UV=true", "CDK=echo cdk", f"ARGS={arguments}"]
    command = ["make", "--no-print-directory", "--silent", "deploy", *variables]
    done = subprocess.run(
        command, cwd=PROJECT, stdin=stdin, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_without_a_terminal_no_approval_is_waited_for():
    assert NO_APPROVAL in deploy_command(subprocess.DEVNULL)


def test_at_a_terminal_the_cdk_asks_before_it_widens_permissions(terminal):
    assert NO_APPROVAL not in deploy_command(terminal)


def test_a_choice_of_the_caller_is_not_overridden():
    chosen = "--require-approval any-change"
    assert deploy_command(subprocess.DEVNULL, chosen).count("--require-approval") == 1


def test_without_a_python_that_fits_make_says_what_to_install(tmp_path):
    """As on a machine that has Python 3.11 only, and no way to the network."""
    places = {name: str(tmp_path / name) for name in ("UV_PYTHON_INSTALL_DIR", "UV_CACHE_DIR")}
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "UV_PYTHON_DOWNLOADS": "never", **places}
    command = [shutil.which("make"), "--no-print-directory", "setup", f"UV={_find_uv()}"]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={**env, "UV_PROJECT_ENVIRONMENT": str(tmp_path / "env")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Antiphon needs Python 3.13." in done.stderr
    assert "Install it" in done.stderr


@pytest.fixture(scope="module")
def jobs():
    return yaml.safe_load(WORKFLOW.read_text())["jobs"]


def steps(jobs):
    return [step for job in jobs.values() for step in job["steps"]]


def test_workflow_checks_then_deploys_dev_then_prod(jobs):
    needs = {name: job.get("needs") for name, job in jobs.items()}
    assert needs == {"check": None, "dev": "check", "prod": "dev"}
    assert {name: job.get("environment") for name, job in jobs.items() if "needs" in job} == {
        "dev": "dev",
        "prod": "prod",
    }


def test_workflow_uses_actions_by_commit(jobs):
    used = [step["uses"] for step in steps(jobs) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", each) for each in used)


def test_workflow_stores_no_aws_key_and_has_the_permissions_of_its_jobs_only(jobs):
    assert yaml.safe_load(WORKFLOW.read_text())["permissions"] == {}
    assert not re.search("aws-secret-access-key|AWS_SECRET_ACCESS_KEY", WORKFLOW.read_text())
    deploying = {"contents": "read", "id-token": "write"}
    assert [job["permissions"] for job in jobs.values()] == [
        {"contents": "read"},
        deploying,
        deploying,
    ]


def test_workflow_uses_targets_and_options_that_exist(jobs):
    commands = "\n".join(step["run"] for step in steps(jobs) if "run" in step)
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)", commands)) <= targets
    for option, value in re.findall(r"-c (antiphon:\w+)=(\S+)", commands):
        parse_options({option: value})
