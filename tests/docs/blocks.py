"""The fenced blocks of README.md and docs/, each with its language and its place."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"(?:^<!-- not run: (?P<reason>.+) -->\n)?"
    r"^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
SEPARATORS = ";&|()\n"
KEYWORDS = {"do", "done", "then", "fi", "export", "exec"}


@dataclass(frozen=True)
class Block:
    """One fenced block; `line` is that of its first line of code, `reason` why it is not run."""

    page: str
    line: int
    language: str
    title: str | None
    code: str
    reason: str | None

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def find_pages() -> list[str]:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [page.relative_to(ROOT).as_posix() for page in pages]


def find_blocks() -> Iterator[Block]:
    for page in find_pages():
        text = (ROOT / page).read_text("utf-8")
        for found in FENCE.finditer(text):
            line = text.count("\n", 0, found.start("code")) + 1
            yield Block(page, line, **found.groupdict())


def find_commands(block: Block) -> Iterator[list[str]]:
    """Yield the words of each simple command of a block for a shell, without assignments."""
    lines = block.code.splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    script = re.sub(r"\\\n", " ", "\n".join(lines))
    script = re.sub(r"(^|\s)#\s.*$", "", script, flags=re.MULTILINE)
    tokens = shlex.shlex(script, posix=True, punctuation_chars=SEPARATORS)
    tokens.whitespace, tokens.whitespace_split, tokens.commenters = " \t", True, ""
    command: list[str] = []
    for token in [*tokens, ";"]:
        if set(token) <= {*SEPARATORS}:
            yield from _simple(command)
            command = []
        else:
            command.append(token)


def _simple(command: list[str]) -> Iterator[list[str]]:
    words = [word for word in command if word not in KEYWORDS]
    while words and re.match(r"[A-Z_]+=", words[0]):
        words = words[1:]
    if words and words[0] != "for":
        yield words
