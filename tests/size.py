"""Lines of Python by folder, in all and for each operation served: `python -m tests.size [COMMIT]`.

A commit is read from git, without a checkout; without one, HEAD is. Lines of code are those that
are neither empty, nor comments, nor docstrings.
"""

import ast
import io
import json
import subprocess
import sys
import tokenize
from pathlib import Path

from infra.project import PROJECT

FOLDERS = ("functions", "infra", "tests")
REFERENCE = "functions/reference/openapi.json"
METHODS = {"get", "post", "delete"}
NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def main(commit: str = "HEAD") -> None:
    operations = count_operations(show(commit, REFERENCE))
    sys.stdout.write(f"{operations} operations\n")
    for folder in FOLDERS:
        texts = [show(commit, path) for path in python_files(commit, folder)]
        lines = sum(len(text.splitlines()) for text in texts)
        code = sum(len(lines_of_code(text)) for text in texts)
        sys.stdout.write(
            f"{folder}: {len(texts)} files, {lines} lines, {code} of code; "
            f"for each operation {lines / operations:.0f} and {code / operations:.0f}\n"
        )


def count_operations(reference: str) -> int:
    paths = json.loads(reference)["paths"].values()
    return sum(len(METHODS & path.keys()) for path in paths)


def python_files(commit: str, folder: str) -> list[str]:
    names = git("ls-tree", "-r", "--name-only", commit, folder).splitlines()
    return [name for name in names if Path(name).suffix == ".py"]


def lines_of_code(text: str) -> set[int]:
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    code = {
        line
        for token in tokens
        if token.type not in NO_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return code - docstring_lines(ast.parse(text))


def docstring_lines(tree: ast.Module) -> set[int]:
    found = set()
    for node in ast.walk(tree):
        match node:
            case (
                ast.Module(body=[ast.Expr(ast.Constant(str())) as first, *_])
                | ast.ClassDef(body=[ast.Expr(ast.Constant(str())) as first, *_])
                | ast.FunctionDef(body=[ast.Expr(ast.Constant(str())) as first, *_])
                | ast.AsyncFunctionDef(body=[ast.Expr(ast.Constant(str())) as first, *_])
            ):
                found |= {*range(first.lineno, (first.end_lineno or first.lineno) + 1)}
    return found


def show(commit: str, path: str) -> str:
    return git("show", f"{commit}:{path}")


def git(*arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments],  # noqa: S607  the one of the developer
        cwd=PROJECT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


if __name__ == "__main__":
    main(*sys.argv[1:])
