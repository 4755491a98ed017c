"""The generated parts of files: each stands between two comments that name it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.costs import build_report
from infra.pages.error_tables import api_gateway_table, gateway_table
from infra.pages.option_table import option_table
from infra.reference.document import unserved_table

ROOT = Path(__file__).parents[2]


class MissingSectionError(ValueError):
    """A file has no comments for a part that belongs into it."""


@dataclass(frozen=True)
class Page:
    """A page of `docs/`, or the site's navigation: each of its generated parts by name."""

    path: str
    sections: Mapping[str, Callable[[], str]]

    @property
    def text(self) -> str:
        return (ROOT / self.path).read_text("utf-8")

    def build(self) -> str:
        """Return the page with its generated parts as the code has them now."""
        text = self.text
        for name, build_section in self.sections.items():
            text = replace_section(text, name, build_section())
        return text

    def is_current(self) -> bool:
        return self.build() == self.text

    def write(self) -> None:
        (ROOT / self.path).write_text(self.build(), "utf-8")


def replace_section(text: str, name: str, section: str) -> str:
    """Return the page's text with another part of that name; raise MissingSectionError."""
    begin, end = (
        rf"[^\n]* begin {name}: written by `python -m infra.pages`[^\n]*\n",
        rf"[^\n]* end {name}\b",
    )
    pattern = re.compile(f"({begin}).*?(?={end})", re.DOTALL)
    if not pattern.search(text):
        raise MissingSectionError(f"there are no comments 'begin {name}' and 'end {name}'")
    return pattern.sub(lambda found: f"{found[1]}{section}\n", text)


def decision_list() -> str:
    """Return the lines of the navigation for docs/decisions."""
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    return "\n".join(f'    "decisions/{page.name}",' for page in pages)


PAGES = (
    Page("docs/cdk-options.md", {"options": option_table}),
    Page("docs/costs.md", {"costs": build_report}),
    Page("docs/endpoints.md", {"unserved": unserved_table}),
    Page("docs/errors.md", {"errors": gateway_table, "rest-errors": api_gateway_table}),
    Page("zensical.toml", {"decisions": decision_list}),
)
