"""The endpoints of batches: https://platform.openai.com/docs/api-reference/batch.

A batch runs as a task of the application. The name of its input file may be that of a scenario:
`sim-slow-200ms.jsonl` sets the time in each status.
"""

import asyncio
from collections.abc import Coroutine

from aiohttp import web

from infra.local.simulator.api_request import ApiRequest, Route
from infra.local.simulator.batch import Batch
from infra.local.simulator.batch_run import BatchRun
from infra.local.simulator.errors import ApiError, invalid_parameter, missing_parameter
from infra.local.simulator.files import read_lifetime
from infra.local.simulator.pages import list_page
from infra.local.simulator.request_body import ExpectedType, check_metadata, check_types

TYPES: dict[str, ExpectedType] = {
    "input_file_id": (str, "a string"),
    "endpoint": (str, "a string"),
    "completion_window": (str, "a string"),
    "metadata": (dict, "an object"),
    "output_expires_after": (dict, "an object"),
}
REQUIRED = ("input_file_id", "endpoint", "completion_window")
ENDPOINTS = ("/v1/responses",)
WINDOW = "24h"
WEIGHT_FACTOR = 4  # a batch has its lines and their results besides the file
TASKS = web.AppKey("tasks", dict[str, asyncio.Task[None]])

type Task = asyncio.Task[None]


async def create_batch(request: ApiRequest) -> web.StreamResponse:
    body = await request.read_json()
    check_types(body, TYPES)
    check_metadata(body)
    missing = next((param for param in REQUIRED if not body.get(param)), None)
    if missing:
        raise missing_parameter(missing)
    _check_choice("endpoint", body["endpoint"], ENDPOINTS)
    _check_choice("completion_window", body["completion_window"], (WINDOW,))
    read_lifetime(request, "batch", body.get("output_expires_after") or {})
    file = request.account.find_file(body["input_file_id"], "input_file_id")
    _check_choice("input_file_id", file.purpose, ("batch",))
    batch = Batch(request.provider.batch_id(), file, body["endpoint"], body)
    request.account.batches.put(batch.id, batch, WEIGHT_FACTOR * len(file.content.data))
    _start(request, batch, BatchRun(request, batch).run())
    return request.reply(batch.describe())


def _check_choice(param: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        fault = f"'{value}'. Supported values are: {', '.join(map(repr, choices))}."
        raise invalid_parameter(param, fault, "invalid_value")


def _start(request: ApiRequest, batch: Batch, work: Coroutine[None, None, None]) -> None:
    """Starts the next task of a batch, in place of the one before."""
    tasks = request.http_request.app[TASKS]
    if batch.id in tasks:
        tasks[batch.id].cancel()
    task = asyncio.create_task(work)
    tasks[batch.id] = task
    task.add_done_callback(lambda done: _forget(tasks, batch.id, done))


def _forget(tasks: dict[str, Task], id: str, done: Task) -> None:
    if tasks.get(id) is done:
        tasks.pop(id)


async def stop_batches(app: web.Application) -> None:
    """Ends all tasks before the application does."""
    tasks = list(app[TASKS].values())
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def list_batches(request: ApiRequest) -> web.StreamResponse:
    batches = [batch.describe() for batch in request.account.batches.values()]
    return request.reply(list_page(batches, request.query))


async def retrieve_batch(request: ApiRequest) -> web.StreamResponse:
    return request.reply(_path_batch(request).describe())


async def cancel_batch(request: ApiRequest) -> web.StreamResponse:
    batch = _path_batch(request)
    if batch.has_ended:
        raise ApiError(409, f"Cannot cancel a batch with status '{batch.status}'.")
    batch.move_to("cancelling")
    _start(request, batch, BatchRun(request, batch).cancel())
    return request.reply(batch.describe())


def _path_batch(request: ApiRequest) -> Batch:
    return request.account.find_batch(request.path_parameter("id"))


ROUTES: list[Route] = [
    ("POST", "/batches", create_batch),
    ("GET", "/batches", list_batches),
    ("GET", "/batches/{id}", retrieve_batch),
    ("POST", "/batches/{id}/cancel", cancel_batch),
]
