"""Rules for the source code that no linter knows: one test a rule, which lists all offenders."""

import ast
import io
import re
import subprocess
import tokenize
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import cast

ROOT = Path(__file__).parent.parent
LONGEST, SHORTEST = 400, 40  # lines
FORBIDDEN_STEMS = {"utils", "helpers", "common", "base", "manager", "constants", "bootstrap"}
FORBIDDEN_WORDS = {"told", "said", "asked", "shown", "kept", "hope", "spelled"}
# Modules of functions/antiphon with fewer lines than a module should have, and why.
SHORT_MODULES = {
    "functions/antiphon/providers/azure.py": "a provider is one file",
    "functions/antiphon/settings/table.py": "the stack reads the table's shape and nothing else",
}
# Files whose texts are allowed to use a forbidden word, and why.
WORD_EXCEPTIONS = {
    "infra/local/simulator/output.py": "users and tests match the model's text, as 'You said: …'",
}


def _tracked_files() -> list[str]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    output = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [path for path in output.split() if (ROOT / path).exists()]


FILES = _tracked_files()
SHIPPED = [path for path in FILES if path.startswith(("functions/", "infra/"))]


@cache
def _source(path: str) -> str:
    return (ROOT / path).read_text()


def _line_count(path: str) -> int:
    return len(_source(path).splitlines())


def _check(offenders: Iterable[str]) -> None:
    """Fails with all offenders, a line each."""
    found = list(offenders)
    assert not found, "\n".join(["", *found])


def test_no_file_is_too_long():
    _check(f"{path}: {n} lines" for path in FILES if (n := _line_count(path)) > LONGEST)


def test_file_names_name_a_subject():
    _check(path for path in FILES if Path(path).stem in FORBIDDEN_STEMS)


def test_each_module_has_a_docstring():
    _check(path for path in SHIPPED if not _source(path).startswith('"""'))


def test_short_modules_have_a_reason():
    modules = [p for p in SHIPPED if re.match(r"functions/antiphon/.*(?<!__init__)\.py", p)]
    short = [path for path in modules if _line_count(path) < SHORTEST]
    _check(f"{path}: {_line_count(path)} lines" for path in short if path not in SHORT_MODULES)


def test_reasons_are_for_modules_that_are_short():
    _check(path for path in SHORT_MODULES if _line_count(path) >= SHORTEST)


def test_packages_define_nothing_in_their_init():
    inits = [p for p in SHIPPED if re.match(r"functions/antiphon/.*__init__\.py", p)]
    _check(f"{path}: {line.splitlines()[0]}" for path in inits for line in _definitions(path))


def _definitions(path: str) -> list[str]:
    """The statements that are no docstring, no import and no `__all__`."""
    body = ast.parse(_source(path)).body
    rest = body[1:] if ast.get_docstring(ast.parse(_source(path))) else body
    lines = [
        ast.unparse(node) for node in rest if not isinstance(node, ast.Import | ast.ImportFrom)
    ]
    return [line for line in lines if not line.startswith("__all__ = ")]


def test_names_and_texts_use_plain_words():
    _check(
        line for path in SHIPPED if path not in WORD_EXCEPTIONS for line in _forbidden_words(path)
    )


TEXT = (tokenize.NAME, tokenize.STRING, tokenize.COMMENT, tokenize.FSTRING_MIDDLE)
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")  # also the words of snake_case and CamelCase


def _forbidden_words(path: str) -> list[str]:
    tokens = tokenize.generate_tokens(io.StringIO(_source(path)).readline)
    return [
        f"{path}:{token.start[0]}: {word}"
        for token in tokens
        if token.type in TEXT
        for word in WORD.findall(token.string)
        if word.lower() in FORBIDDEN_WORDS
    ]


def test_no_file_hides_a_package_that_others_import():
    assert not (ROOT / "functions/responses.py").exists()
    assert not (ROOT / "functions/bootstrap").exists()


def test_only_foundation_makes_clients():
    makers = re.compile(r"import boto3|get_session|httpx\.Client\(|(?:=|return) LlhttpTransport\(")
    found = [p for p in FILES if p.startswith("functions/") and makers.search(_source(p))]
    assert "functions/antiphon/foundation.py" in found  # so the pattern still finds them
    _check(path for path in found if path != "functions/antiphon/foundation.py")


def test_only_entry_points_read_the_environment():
    allowed = {
        "functions/api.py",
        "functions/settle.py",
        "functions/rollup.py",
        "functions/antiphon/observability.py",
    }
    readers = {p for p in FILES if p.startswith("functions/") and "os.environ" in _source(p)}
    _check(p for p in readers - allowed if "/runtime/" not in p)


# Pages that are being written: they may be in the navigation before they are in docs/.
ANNOUNCED_PAGES: set[str] = set()


def test_each_page_of_the_docs_is_in_the_navigation():
    """Add a page to `nav` in zensical.toml; a decision is added by `python -m infra.pages`."""
    site = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
    pages = {page.relative_to(ROOT / "docs").as_posix() for page in (ROOT / "docs").rglob("*.md")}
    named = {*_pages_in(site["nav"])}
    assert pages - named == set(), "add them to `nav` in zensical.toml"
    _check(named - pages - ANNOUNCED_PAGES)


def _pages_in(entry: object) -> Iterable[str]:
    if isinstance(entry, str):
        return [entry]
    inner = entry.values() if isinstance(entry, dict) else cast("list[object]", entry)
    return (page for each in inner for page in _pages_in(each))


def test_decisions_are_numbered_without_gaps_and_once():
    files = sorted((ROOT / "docs/decisions").glob("*.md"))
    titles = [path.read_text().partition(".")[0] for path in files]
    assert titles == [f"# {number}" for number in range(1, len(files) + 1)]
    assert [path.name[:4] for path in files] == [f"{n:04d}" for n in range(1, len(files) + 1)]
