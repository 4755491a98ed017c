"""What the pages tell readers to run, write or send is run, read or looked up here."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter

import click
import pytest

from antiphon.settings.config import parse_config
from infra.cli import main
from infra.local.runtime_api.function import child_environment
from infra.node import build_command
from tests.docs.blocks import ROOT, find_blocks, find_commands
from tests.support.gateway import KEYS

BLOCKS = [*find_blocks()]
CHECKED = {"", "console", "js", "json", "python", "sh", "toml"}  # "" is a picture in characters
RUN_BY_ANOTHER_TEST = {
    # By tests/clients/test_compatibility.py, in the environments of these clients:
    "docs/clients/langchain.md",
    "docs/clients/llamaindex.md",
    "docs/clients/pydantic-ai.md",
}
NOT_RUN: dict[str, int] = {}  # blocks with a reason, by page
# Programs of others.
OUTSIDE = {
    *(".", "aws", "az", "cd", "cdk", "curl", "docker", "git", "npm", "npx", "pip", "python3.13"),
    *("sam", "terraform", "uv", "uvx"),
}
TARGET = re.compile(r"^([a-z.]+):", re.MULTILINE)
NOTES = "Antiphons are sung by two choirs."
REPORT = b"A report about choirs. " * 260_000  # 6 MB: more than one part
FILES_PAGE = "docs/files.md"
PRINTED_BY_FILES = [  # by its blocks in Python, in their order
    rf"You said: What do my notes say\?.*{NOTES}.*",
    rf"file-\w+ {len(REPORT)}",
    rf"You said: Who sings antiphons\? The file notes.txt has: {NOTES}.*",
    r"result\.txt",
    r"b'\\x89PNG'",
    r"You said: Write a table\. .*",
    r'\{"id": .* "custom_id": "1", .*You said: Say hello\..*\}',
    "",  # behind the last line of the results
]


def blocks(*languages):
    return [block for block in BLOCKS if block.language in languages and block.reason is None]


def test_every_block_has_a_language_that_is_checked():
    assert {b.place: b.language for b in BLOCKS if b.language not in CHECKED} == {}


def test_blocks_that_are_not_run_are_counted():
    assert Counter(block.page for block in BLOCKS if block.reason) == NOT_RUN


def test_toml_is_a_valid_configuration():
    """A block with a title is another program's file."""
    for block in blocks("toml"):
        document = tomllib.loads(block.code)
        if block.title in {None, "gateway.toml"}:
            parse_config(with_targets(document), block.place)


def with_targets(document):
    """Add the targets that a part of a file refers to."""
    azure = {"provider": "azure", "endpoint": "https://acme.openai.azure.com", "models": {"a": "b"}}
    openai = {"provider": "openai", "models": ["gpt-*"]}
    defaults = {"openai": openai, "azure-east": azure}
    return document | {"targets": document.get("targets", defaults)}


def test_json_can_be_read():
    for block in blocks("json"):
        assert json.loads(block.code), block.place


def test_commands_exist():
    targets = set(TARGET.findall((ROOT / "Makefile").read_text()))
    wrong = [
        f"{block.place}: {' '.join(words)}"
        for block in blocks("sh", "console")
        for words in find_commands(block)
        if not exists(words, targets)
    ]
    assert wrong == []


def exists(words, targets):
    program, arguments = words[0].rpartition("/")[2] or words[0], words[1:]
    if program == "make":
        return {word for word in arguments if re.fullmatch(r"[a-z]+", word)} <= targets
    if program == "antiphon":
        return unknown_option(main, arguments) is None
    if program == "python":
        return importlib.util.find_spec(arguments[arguments.index("-m") + 1]) is not None
    return program in OUTSIDE


def unknown_option(command, arguments):
    """The first argument that is neither an option of the command nor one of its commands."""
    while isinstance(command, click.Group) and arguments:
        found = command.get_command(click.Context(command), arguments[0])
        if found is None:
            break
        command, arguments = found, arguments[1:]
    options = {name for option in command.params for name in option.opts} | {"--help"}
    if isinstance(command, click.Group) and arguments[:1] and not arguments[0].startswith("-"):
        return arguments[0]
    names = (word.partition("=")[0] for word in arguments if word.startswith("--"))
    return next((name for name in names if name not in options), None)


@pytest.fixture
def run(played, tmp_path):
    """Run a command where the files are that pages send; return what it prints."""
    (tmp_path / "notes.txt").write_text(NOTES)
    (tmp_path / "report.pdf").write_bytes(REPORT)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    key = KEYS["acme"]
    environment = {
        **child_environment(),
        "OPENAI_BASE_URL": played.url,
        "OPENAI_API_KEY": key,
        "FUNCTION_URL": played.url,
        "REST_URL": played.rest,
        "ANTIPHON_KEY": key,
    }

    def run(*command):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    return run


RUNNER = """
import json, os, sys
environment = dict(os.environ)
for page, code in json.load(open(sys.argv[1])).items():
    exec(compile(code, page, "exec"), {"__name__": "__main__"})
    print(f"\\n{page} has run")
    os.environ.clear()
    os.environ.update(environment)
"""


def by_page(language):
    """The code of each page, with each line where it is in the page."""
    pages = {}
    for block in blocks(language):
        if block.page not in RUN_BY_ANOTHER_TEST:
            before = pages.get(block.page, "")
            pages[block.page] = before + "\n" * (block.line - 1 - before.count("\n")) + block.code
    return pages


def split_by_page(printed):
    """What each page printed, in front of the line that says that it has run."""
    parts = re.split(r"\n(\S+) has run\n", printed)
    return dict(zip(parts[1::2], parts[::2], strict=False))  # nothing comes behind the last


def test_code_in_python_runs(run, tmp_path):
    pages = by_page("python")
    (tmp_path / "pages.json").write_text(json.dumps(pages))
    printed = split_by_page(run(sys.executable, "-c", RUNNER, "pages.json"))
    assert printed.keys() == pages.keys()
    for line, expected in zip(printed[FILES_PAGE].split("\n")[:-1], PRINTED_BY_FILES, strict=True):
        assert re.fullmatch(expected, line)
    assert (tmp_path / "result.txt").read_text() == "Write a table of my notes as a file."


def test_code_in_javascript_runs(run, tmp_path):
    pages = by_page("js")
    lines = ["const environment = { ...process.env };"]
    for number, (page, code) in enumerate(pages.items()):
        (tmp_path / f"{number}.mjs").write_text(code)
        lines += [f'await import("./{number}.mjs");', f'console.log("\\n{page} has run");']
        lines += ["Object.assign(process.env, environment);"]
    command = build_command("node", "--input-type=module", "-e", "\n".join(lines))
    printed = split_by_page(run(*command))
    assert printed.keys() == pages.keys()
    assert re.fullmatch(rf"file-\w+ {len(REPORT)}\n", printed[FILES_PAGE])


@pytest.mark.skipif(shutil.which("curl") is None, reason="this machine has no curl")
def test_requests_by_curl_are_answered(run):
    found = [block for block in blocks("sh") if "$OPENAI_BASE_URL/" in block.code]
    assert found
    for block in found:
        assert "response.completed" in run(
            "sh", "-ec", block.code.replace("curl -N", "curl -sSN")
        ), block.place
