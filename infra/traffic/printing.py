"""Prints requests: as lines for people, or as JSON for programs."""

import json
import sys
from collections.abc import Callable

from rich.console import Console

from infra.traffic.line import format_request
from infra.traffic.record import RequestRecord

type Print = Callable[[RequestRecord], None]


def line_printer(console: Console) -> Print:
    """Return what prints a line that fits the terminal; in a file nothing is cut off.

    Only a terminal gets the messages of errors, because they may quote the request.
    """

    def print_on_terminal(record: RequestRecord) -> None:
        console.print(format_request(record, console.width), soft_wrap=True, highlight=False)

    def write_to_file(record: RequestRecord) -> None:  # takes a quarter of the time
        console.file.write(f"{format_request(record, None, with_message=False).plain}\n")
        console.file.flush()

    return print_on_terminal if console.is_terminal else write_to_file


def print_json_line(record: RequestRecord) -> None:
    sys.stdout.write(json.dumps(record.to_json(), ensure_ascii=False) + "\n")
    sys.stdout.flush()
