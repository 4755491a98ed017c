"""`python -m tests.clients.compatibility_page`: writes the table of docs/compatibility.md.

The table has what tests/clients/test_compatibility.py runs: a cell is "yes" only if the test of
that client fails where the case does.
"""

import re
from pathlib import Path

from tests.clients.matrix import CAPABILITIES, CLIENTS, Client

PAGE = Path(__file__).parents[2] / "docs/compatibility.md"
SECTION = re.compile(r"(?s)(?<=<!-- begin clients -->\n).*?(?=\n<!-- end clients -->)")


def build_tables() -> str:
    """The clients as columns would not fit a page: each is a row, and lacks get a number."""
    reasons: dict[str, int] = {}
    head = ["Client", "Version", *CAPABILITIES.values()]
    rows = [head, ["---"] * len(head)]
    rows += [_row(client, reasons) for client in CLIENTS.values()]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    notes = "\n".join(f"{number}. {_sentence(reason)}" for reason, number in reasons.items())
    return f"{table}\n\n{notes}"


def _row(client: Client, reasons: dict[str, int]) -> list[str]:
    run = " (`make clients`)" if client.heavy else ""
    return [
        f"{client.title}{run}",
        f"{client.package} {client.version}",
        *(_cell(client.missing.get(name), reasons) for name in CAPABILITIES),
    ]


def _cell(reason: str | None, reasons: dict[str, int]) -> str:
    if reason is None:
        return "yes"
    return f"no ({reasons.setdefault(reason, len(reasons) + 1)})"


def _sentence(reason: str) -> str:
    return f"{reason[0].upper()}{reason[1:]}."


def main() -> None:
    PAGE.write_text(SECTION.sub(lambda _: build_tables(), PAGE.read_text()))


if __name__ == "__main__":
    main()
