"""Where log lines are read: a log group of CloudWatch, or the gateway on this machine."""

import json
import socket
import time
from collections.abc import Callable
from typing import Any, Protocol

import click
from botocore.exceptions import ClientError

from infra.traffic.log_lines import FILTER_PATTERN

LATE_SECONDS = 10.0  # by which CloudWatch may show a line after later ones
CLOUDWATCH_SECONDS, LOCAL_SECONDS = 2.0, 0.2
LOOPBACK, CONNECT_SECONDS, CHUNK_BYTES = "127.0.0.1", 5.0, 1 << 20


class SourceEnded(Exception):
    """There will be no more lines."""


class LineSource(Protocol):
    """`read` returns the lines that came since it was called last; raises SourceEnded."""

    needs_reply: bool  # whether the local gateway's own lines are among them
    pause_seconds: float  # between two reads

    def read(self) -> list[str]: ...
    def close(self) -> None: ...


# Opens a source of the lines since a time in epoch seconds, and whether it is read repeatedly.
type OpenSource = Callable[[float, bool], LineSource]


class CloudWatchLines:
    """Reads by FilterLogEvents, which costs nothing; live tail is billed by the minute."""

    needs_reply = False
    pause_seconds = CLOUDWATCH_SECONDS

    def __init__(
        self, logs: Any, group: str, since: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._logs = logs
        self._group = group
        self._since = since
        self._clock = clock
        self._seen: dict[str, int] = {}  # time in milliseconds by the id of an event

    def read(self) -> list[str]:
        now, start = self._clock(), int(self._since * 1000)
        events = [each for each in self._events(start) if each["eventId"] not in self._seen]
        self._since = max(self._since, now - LATE_SECONDS)
        self._seen |= {each["eventId"]: each["timestamp"] for each in events}
        oldest = int(self._since * 1000)
        self._seen = {id: at for id, at in self._seen.items() if at >= oldest}
        events.sort(key=lambda event: int(event["timestamp"]))
        return [str(event["message"]) for event in events]

    def close(self) -> None:
        """Close nothing: there is no connection of its own."""

    def _events(self, start: int) -> list[Any]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._group, startTime=start, filterPattern=FILTER_PATTERN
        )
        try:
            return [event for page in pages for event in page["events"]]
        except ClientError as exc:
            if exc.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            raise click.ClickException(f"There is no log group {self._group}.") from exc


class LocalLines:
    """Reads from a gateway on this machine, which has the lines in memory."""

    needs_reply = True
    pause_seconds = LOCAL_SECONDS

    def __init__(self, port: int, since: float, *, follow: bool) -> None:
        """Raise ClickException where the gateway does not answer."""
        try:
            self._socket = socket.create_connection((LOOPBACK, port), CONNECT_SECONDS)
        except OSError as exc:
            raise click.ClickException(
                f"The gateway on this machine does not answer: {exc}"
            ) from exc
        self._socket.sendall(json.dumps({"since": since, "follow": follow}).encode() + b"\n")
        self._follows = follow
        self._rest = b""
        self._socket.settimeout(0 if follow else None)

    def read(self) -> list[str]:
        """Without `follow` all lines; the text behind the last line end waits for its rest."""
        *lines, self._rest = (self._rest + self._receive()).split(b"\n")
        return [line.decode() for line in lines]

    def close(self) -> None:
        self._socket.close()

    def _receive(self) -> bytes:
        received = []
        while data := self._receive_chunk():
            received.append(data)
        if data is not None and self._follows and not received:
            raise SourceEnded
        return b"".join(received)

    def _receive_chunk(self) -> bytes | None:
        """Return None where there is nothing for now, and no bytes at the end."""
        try:
            return self._socket.recv(CHUNK_BYTES)
        except BlockingIOError:
            return None
        except ConnectionError:  # it was killed
            return b""
