"""A batch: a file of requests, and the files of their results."""

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any

from infra.local.simulator.file import File
from infra.local.simulator.items import Json

LIFETIME = 86_400  # seconds: the completion window
MAX_LINES = 50_000
ENDED = {"failed", "completed", "expired", "cancelled"}


@dataclass(frozen=True)
class BatchLine:
    """A request of a batch, and later its result."""

    custom_id: str
    body: Json
    status: int = 0
    result: Any = None
    error: Json | None = None  # of a request that was not sent

    @property
    def is_success(self) -> bool:
        return self.error is None and self.status < 400  # noqa: PLR2004  # HTTP's first error

    def encode(self) -> str:
        """Returns the line of the output file or of the error file."""
        response = {
            "status_code": self.status,
            "request_id": f"req_{token_hex(16)}",
            "body": self.result,
        }
        line = {
            "id": f"batch_req_{token_hex(16)}",
            "custom_id": self.custom_id,
            "response": None if self.error else response,
            "error": self.error,
        }
        return json.dumps(line, ensure_ascii=False) + "\n"


@dataclass(eq=False)
class Batch:
    """Its state; `times` has the second at which it came to each status."""

    id: str
    input: File
    endpoint: str
    fields: Json  # that the customer sets: metadata, output_expires_after
    status: str = "validating"
    created_at: float = field(default_factory=time.time)
    times: dict[str, int] = field(default_factory=dict)
    errors: list[Json] = field(default_factory=list)
    lines: list[BatchLine] = field(default_factory=list)
    results: list[BatchLine] = field(default_factory=list)
    output_file: File | None = None
    error_file: File | None = None

    @property
    def has_ended(self) -> bool:
        return self.status in ENDED

    def move_to(self, status: str) -> None:
        self.status = status
        self.times[status] = int(time.time())

    def describe(self) -> Json:
        """Returns the batch in the format of the API."""
        statuses = ("in_progress", "finalizing", "cancelling", *sorted(ENDED))
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": self.endpoint,
            "model": self.lines[0].body.get("model") if self.lines else None,
            "errors": {"object": "list", "data": self.errors} if self.errors else None,
            "input_file_id": self.input.id,
            "completion_window": "24h",
            "status": self.status,
            "output_file_id": self.output_file and self.output_file.id,
            "error_file_id": self.error_file and self.error_file.id,
            "created_at": int(self.created_at),
            "expires_at": int(self.created_at) + LIFETIME,
            **{f"{status}_at": self.times.get(status) for status in statuses},
            "request_counts": self._count_requests(),
            "usage": _add_usages(result.result for result in self.results if result.is_success),
            "metadata": self.fields.get("metadata"),
        }

    def _count_requests(self) -> Json:
        completed = sum(result.is_success for result in self.results)
        failed = len(self.results) - completed
        return {"total": len(self.lines), "completed": completed, "failed": failed}


def _add_usages(responses: Iterable[Json]) -> Json:
    usages = [response["usage"] for response in responses if response.get("usage")]
    return {
        **{key: sum(usage[key] for usage in usages) for key in _COUNTS},
        "input_tokens_details": {
            "cached_tokens": sum(each["input_tokens_details"]["cached_tokens"] for each in usages)
        },
        "output_tokens_details": {
            "reasoning_tokens": sum(
                each["output_tokens_details"]["reasoning_tokens"] for each in usages
            )
        },
    }


_COUNTS = ("input_tokens", "output_tokens", "total_tokens")


def read_lines(batch: Batch) -> list[BatchLine]:
    """Reads the input file; what is wrong with it goes into the errors of the batch.

    Unlike at OpenAI the lines may have different models: so a batch can have some that fail.
    """
    texts = [text for text in batch.input.content.text.split("\n") if text.strip()]
    if not texts:
        batch.errors.append(_build_error("empty_file", "The input file is empty.", None))
    if len(texts) > MAX_LINES:
        message = f"The batch has more than {MAX_LINES} requests."
        batch.errors.append(_build_error("too_many_tasks", message, None))
        return []
    lines = [_read_line(batch, number, text) for number, text in enumerate(texts, 1)]
    _check_ids(batch, lines)
    return lines


def _read_line(batch: Batch, number: int, text: str) -> BatchLine:
    line = _parse_line(text)
    if line is None:
        message = "This line is not parseable as valid JSON."
        batch.errors.append(_build_error("invalid_json_line", message, number))
        return BatchLine("", {})
    for key in ("custom_id", "method", "url", "body"):
        if key not in line:
            message = f"Missing required parameter: '{key}'."
            batch.errors.append(_build_error("missing_required_parameter", message, number, key))
    if line.get("url", batch.endpoint) != batch.endpoint:
        message = f"The URL of the request is not that of the batch, {batch.endpoint}."
        batch.errors.append(_build_error("url_mismatch", message, number, "url"))
    body = line.get("body")
    return BatchLine(str(line.get("custom_id")), body if isinstance(body, dict) else {})


def _parse_line(text: str) -> Json | None:
    try:
        line = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return line if isinstance(line, dict) else None


def _check_ids(batch: Batch, lines: list[BatchLine]) -> None:
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        if line.custom_id in seen:
            message = f"The custom_id for this request is a duplicate of another: {line.custom_id}."
            batch.errors.append(_build_error("duplicate_custom_id", message, number, "custom_id"))
        seen.add(line.custom_id)


def _build_error(code: str, message: str, line: int | None, param: str | None = None) -> Json:
    return {"code": code, "message": message, "line": line, "param": param}
