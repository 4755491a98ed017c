"""Runs a batch in the background: checks its file, sends each request, writes the results."""

import asyncio
from dataclasses import dataclass, replace

from infra.local.simulator.api_request import ApiRequest
from infra.local.simulator.batch import Batch, BatchLine, read_lines
from infra.local.simulator.creation import start_response
from infra.local.simulator.errors import ApiError
from infra.local.simulator.file import Content, File
from infra.local.simulator.files import BATCH_LIFETIME
from infra.local.simulator.resource_scenarios import NORMAL
from infra.local.simulator.responses import SimulatedResponse

STEP_SECONDS = 0.03  # in each status
LINES_PER_TURN = 50  # after which other requests have their turn

EXPIRED = {
    "code": "batch_expired",
    "message": "This request could not be executed before the completion window expired.",
}
CANCELLED = {"code": "batch_cancelled", "message": "The batch was cancelled."}
UNREADABLE = {
    "code": "invalid_file",
    "message": "The input file could not be processed.",
    "line": None,
    "param": "input_file_id",
}


@dataclass(frozen=True)
class BatchRun:
    """Runs one batch for the account that has created it."""

    request: ApiRequest
    batch: Batch

    async def run(self) -> None:
        batch, scenario = self.batch, self.batch.input.scenario
        await asyncio.sleep(max(STEP_SECONDS, scenario.delay, scenario.pending))
        batch.lines = read_lines(batch)
        if scenario.is_failed:
            batch.errors.append(UNREADABLE)
        if batch.errors:
            batch.move_to("failed")
            return
        batch.move_to("in_progress")
        count = len(batch.lines) // 2 if scenario.is_half_done else len(batch.lines)
        await self._send_lines(batch.lines[:count])
        if scenario.is_half_done:
            self._end("expired", EXPIRED)
            return
        batch.move_to("finalizing")
        await asyncio.sleep(max(STEP_SECONDS, scenario.delay))
        self._end("completed", None)

    async def _send_lines(self, lines: list[BatchLine]) -> None:
        """The requests run side by side: the batch takes as long as the slowest of them."""
        await asyncio.sleep(max(STEP_SECONDS, self.batch.input.scenario.delay))
        pending = []
        for number, line in enumerate(lines, 1):
            pending.append((line, self._start(line)))
            if number % LINES_PER_TURN == 0:
                await asyncio.sleep(0)
        for line, started in pending:
            result = await self._finish(line, started)
            self.batch.results.append(result)

    def _start(self, line: BatchLine) -> SimulatedResponse | BatchLine:
        body, size = {**line.body, "stream": False}, len(str(line.body))
        try:
            started = start_response(self.request.provider, self.request.account, body, size)
        except ApiError as error:
            return self._fail(line, error)
        if isinstance(started, SimulatedResponse):
            return started
        if isinstance(started, ApiError):
            return self._fail(line, started)
        text = started.body.decode(errors="replace")
        return replace(line, status=started.status, result=text)

    def _fail(self, line: BatchLine, error: ApiError) -> BatchLine:
        body = self.request.provider.error_body(error)
        return replace(line, status=error.status, result=body)

    async def _finish(self, line: BatchLine, started: SimulatedResponse | BatchLine) -> BatchLine:
        if isinstance(started, BatchLine):
            return started
        await started.wait_until(started.event_times[-1])
        return replace(line, status=200, result=started.current_state())

    async def cancel(self) -> None:
        await asyncio.sleep(STEP_SECONDS)
        self._end("cancelled", CANCELLED)

    def _end(self, status: str, error_of_rest: dict[str, str] | None) -> None:
        """Writes the files; requests without a result get an error that says why."""
        batch = self.batch
        if error_of_rest:
            rest = batch.lines[len(batch.results) :]
            batch.results += [replace(line, error=error_of_rest) for line in rest]
        good = [result for result in batch.results if result.is_success]
        bad = [result for result in batch.results if not result.is_success]
        batch.output_file = self._write("output", good)
        batch.error_file = self._write("error", bad)
        batch.move_to(status)

    def _write(self, name: str, results: list[BatchLine]) -> File | None:
        if not results:
            return None
        data = "".join(result.encode() for result in results).encode()
        lifetime = (self.batch.fields.get("output_expires_after") or {}).get("seconds")
        file = File(
            self.request.provider.file_id("batch_output"),
            f"{self.batch.id}_{name}.jsonl",
            "batch_output",
            Content(data, len(data)),
            NORMAL,
            lifetime or BATCH_LIFETIME,
        )
        self.request.account.add_file(file)
        return file
