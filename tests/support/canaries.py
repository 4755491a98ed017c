"""Canaries: values that may be nowhere but on the wire, and the search for them after each test.

DESIGN, sections 1 and 7: prompts, answers and keys are neither stored nor logged. A link has the
metadata of its response, by which it is listed: so a row of a link, a row of the metadata index,
and the message of the queue that defers a link may have metadata values, and nothing else may.
Credentials of providers are in Secrets Manager alone.
"""

import base64
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

METADATA = "metadata value"
CONTENT = {
    "prompt": "canary-prompt-0123456789",
    "instructions": "canary-instructions-0123456789",
    "output": "canary-output-0123456789",
    "tool arguments": "canary-arguments-0123456789",
    "tool output": "canary-tool-output-0123456789",
    "file content": "Y2FuYXJ5LWZpbGUtMDEyMzQ1Njc4OQ",
    "reasoning": "canary-reasoning-0123456789",
    "end user": "canary-end-user-0123456789",
    "Idempotency-Key": "canary-idempotency-0123456789",
    METADATA: "canary-metadata-0123456789",
}
ACCOUNT = {
    "organisation": "org-CanaryOrg0123456789",
    "project": "proj_CanaryProject0123456789",
    "Azure host": "canary-host.openai.azure.com",
}
ACCOUNT_HEADERS = {
    "openai-organization": ACCOUNT["organisation"],
    "openai-project": ACCOUNT["project"],
    "operation-location": f"https://{ACCOUNT['Azure host']}/openai",
}
OUTPUT = [
    {"type": "message", "content": [{"type": "output_text", "text": CONTENT["output"]}]},
    {"type": "function_call", "name": "f", "arguments": CONTENT["tool arguments"]},
]
MIN_SECRET_CHARS = 12  # a shorter credential of a test, such as "credential", is a word of its log
PROVIDER_REQUEST_ID = "req_of_provider"

type Names = tuple[str, ...]


class LeakFound(AssertionError):
    """A canary is where it must not be."""


@dataclass
class LeakWatch:
    """The log of one gateway, and a recording of all that it sends to AWS; both grow."""

    log: Path
    recording: Path
    secrets: Mapping[str, str] = field(default_factory=dict)
    _ends: dict[Path, int] = field(default_factory=dict)  # up to which a file was searched

    def __post_init__(self) -> None:
        long = {
            name: value for name, value in self.secrets.items() if len(value) >= MIN_SECRET_CHARS
        }
        self.canaries = {**CONTENT, **ACCOUNT, **long}
        WATCHES.append(self)

    def check(self) -> None:
        """Search the lines that are new, and show those of the log; raise LeakFound."""
        log, requests = self._new_lines(self.log), self._new_lines(self.recording)
        sys.stderr.write("".join(f"{line}\n" for line in log))
        found = [f"the log: {line}" for line in log if self._is_in(line)]
        found += [place for request in requests for place in self._leaks_to_aws(request)]
        if found:
            names = ", ".join(self._names_in("\n".join(found)))
            raise LeakFound("\n".join([f"Leaked: {names}", *found]))

    def check_response(self, response: httpx.Response) -> None:
        """Raise LeakFound for headers, and for errors that the gateway itself answers with."""
        provider_answered = response.headers.get("x-request-id") == PROVIDER_REQUEST_ID
        wanted = self.canaries if not provider_answered else {**ACCOUNT, **self.secrets}
        text = str(response.headers)
        if response.is_error:
            text += response.read().decode("utf-8", "replace")
        names = [n for n, v in wanted.items() if len(v) >= MIN_SECRET_CHARS and v in text]
        if names:
            raise LeakFound(f"Leaked: {', '.join(names)} in an answer: {text}")

    def close(self) -> None:
        """Search for the last time."""
        WATCHES.remove(self)
        self.check()

    def _new_lines(self, path: Path) -> list[str]:
        """Return the whole lines that are new; one that is being written waits for its end."""
        if not path.exists():
            return []
        with path.open("rb") as file:
            file.seek(self._ends.get(path, 0))
            lines, newline, _ = file.read().rpartition(b"\n")
        self._ends[path] = self._ends.get(path, 0) + len(lines) + len(newline)
        return lines.decode("utf-8", "replace").splitlines() if lines else []

    def _leaks_to_aws(self, line: str) -> Iterator[str]:
        request = json.loads(line)
        body = request["body"] or ""
        body = base64.b64decode(body).decode() if request["body_encoded"] else body
        headers = {name.lower(): value for name, value in request["headers"].items()}
        operation = headers.get("x-amz-target", "")
        if operation.startswith("secretsmanager.") or not self._is_in(body):
            return
        for path, value in _strings(json.loads(body)):
            names = self._names_in(f"{'.'.join(path)} {value}")
            if any(name != METADATA or not _may_have_metadata(path, value) for name in names):
                yield f"{operation} at {'.'.join(path)}: {value}"

    def _is_in(self, text: str) -> bool:
        return any(canary in text for canary in self.canaries.values())

    def _names_in(self, text: str) -> list[str]:
        return [name for name, canary in self.canaries.items() if canary in text]


WATCHES: list[LeakWatch] = []


def check_all() -> None:
    """Search what is new of every gateway that runs."""
    for watch in WATCHES:
        watch.check()


def _may_have_metadata(path: Names, value: str) -> bool:
    """Whether it is metadata of a link, or a key of the index `T#tenant#M#key=value`."""
    is_index_key = value.startswith("T#") and "#M#" in value
    return is_index_key or any(part.lstrip(":#") == "metadata" for part in path)


def _strings(value: object, path: Names = ()) -> Iterator[tuple[Names, str]]:
    """Yield each string, and the names above it; those of a message's body are read as well."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _strings(member, (*path, name))
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member, path)
    elif isinstance(value, str):
        is_message = bool(path) and path[-1] == "MessageBody"
        yield from _strings(json.loads(value), path[:-1]) if is_message else [(path, value)]


def named_secrets(*groups: Mapping[str, str]) -> dict[str, str]:
    """Name keys and credentials so that a message does not show them."""
    values: Iterable[tuple[str, str]] = (pair for group in groups for pair in group.items())
    return {f"key or credential '{name}'": value for name, value in values}
