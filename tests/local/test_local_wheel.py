"""The wheel: `antiphon` installed on a machine that has nothing of the project's folder."""

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
DEPENDENCIES = sysconfig.get_paths()["purelib"]
# This interpreter finds the project by files of its own; the new one must not.
LACKS_PROJECT = "import infra, sys; sys.exit(infra.__file__.startswith(sys.argv[1]))"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", out]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = out.glob("antiphon-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory):
    """A new environment with the wheel; its dependencies are those of this one."""
    home = tmp_path_factory.mktemp("installed")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", home], check=True)
    (packages,) = home.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        for entry in archive.infolist():  # with its mode, as pip and uv do
            path = Path(archive.extract(entry, packages))
            path.chmod(entry.external_attr >> 16 & 0o777 or 0o644)
    (packages / "dependencies.pth").write_text(f"{DEPENDENCIES}\n")
    python = home / "bin" / "python"
    subprocess.run([python, "-c", LACKS_PROJECT, ROOT], cwd=home, check=True)
    return python


@pytest.fixture
def run(python, tmp_path):
    """Start `antiphon` in an empty folder, without any variable of the project."""
    (tmp_path / "here").mkdir()
    env = {
        "PATH": os.defpath,
        "HOME": str(tmp_path / "home"),
        "ANTIPHON_LOCAL_KEYS": "acme=key-of-acme",
    }

    def start(*arguments):
        return subprocess.Popen(
            [python, "-m", "infra.cli", *arguments],
            cwd=tmp_path / "here",
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_an_installed_gateway_serves_and_its_commands_find_it(run, tmp_path):
    ready = tmp_path / "ready.json"
    gateway = run(
        *("local", "--port", "0", "--concurrency", "1", "--ready-file", str(ready)),
    )
    try:
        lines = "".join(iter(gateway.stdout.readline, "end           with Ctrl-C\n"))
        assert "simulator" in lines
        url = json.loads(ready.read_text())["url"]
        request = {"model": "gpt-5", "input": "Say hello."}
        headers = {"authorization": "Bearer key-of-acme"}
        created = httpx.post(f"{url}/responses", json=request, headers=headers)
        assert created.status_code == 200, created.text
        page = httpx.get(f"{url.removesuffix('/v1')}/docs")
        assert page.status_code == 200
        listed = run("keys", "list", "--local", "--json")
        out, err = listed.communicate()
        assert listed.returncode == 0, err
        assert [each["tenant"] for each in json.loads(out)["data"]] == ["acme"]
    finally:
        gateway.terminate()
        _, err = gateway.communicate()
    assert gateway.returncode == 0, err
    assert list((tmp_path / "here").iterdir()) == []


def test_what_needs_the_project_says_so(run):
    command = run("deploy")
    _, err = command.communicate()
    assert command.returncode == 2
    assert "Get the project's source, and there run `make deploy`." in err


def test_the_wheel_requires_what_ships_and_no_cdk(wheel):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    required = set(project["project"]["dependencies"])
    assert set(project["dependency-groups"]["asset"]) <= required
    assert not [each for each in required if each.startswith(("aws-cdk", "cdk", "nodejs"))]
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    functions = {str(p.relative_to(ROOT)) for p in (ROOT / "functions").rglob("*") if p.is_file()}
    shipped = {f"infra/installed/{name}" for name in functions if "__pycache__" not in name}
    assert shipped <= names
