import json
import subprocess
import sys

from tests.local.gateway_rig import ROOT


def run(*arguments, cwd=ROOT):
    command = [sys.executable, "-m", "infra.node", *arguments]
    env = {"PATH": "/usr/bin:/bin", "HOME": str(cwd), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)


def test_node_runs_from_the_locked_package():
    assert run("node", "-p", "6 * 7").stdout == "42\n"


def test_scripts_of_npm_find_node(tmp_path):
    script = {"scripts": {"answer": "node -p '6 * 7'"}}
    (tmp_path / "package.json").write_text(json.dumps(script))
    assert run("npm", "run", "--silent", "answer", cwd=tmp_path).stdout == "42\n"


def test_the_exit_code_is_the_programs():
    assert run("node", "-e", "process.exit(7)").returncode == 7


def test_another_program_is_refused():
    assert run("bash").stderr == "Usage: python -m infra.node node|npm|npx [ARGUMENTS]\n"
