"""One guard and the change that breaks it."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Guard:
    """`anchor` must stand in the file exactly once; the mutant has `replacement` in its place."""

    name: str
    file: str  # below functions/antiphon/
    anchor: str
    replacement: str
    tests: tuple[str, ...]  # below tests/

    @property
    def path(self) -> str:
        return f"functions/antiphon/{self.file}"

    def mutate(self, root: Path = ROOT) -> str:
        """Return the file's text with the guard broken; raise LookupError if the code moved."""
        text = (root / self.path).read_text()
        found = text.count(self.anchor)
        if found != 1:
            raise LookupError(f"{self.name}: {found} times in {self.path}: {self.anchor!r}")
        return text.replace(self.anchor, self.replacement)


def guard(name: str, file: str, anchor: str, replacement: str, *tests: str) -> Guard:
    return Guard(name, file, anchor, replacement, tests)
