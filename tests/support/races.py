"""A table that several processes share, and callers in each of them who come all at once."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from typing import Any

import botocore.session
from botocore.config import Config
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server

from antiphon.store.dynamodb import Table
from infra.local import transactions
from infra.local.aws import _shape
from tests.support.gateway import LOCAL_AWS

NAME = "races"
PROCESSES, THREADS = 4, 16

type Race = Callable[[Table, int], Any]  # what a caller does; it is told its number


@contextmanager
def endpoint() -> Iterator[str]:
    """The address of an AWS with an empty table."""
    transactions.install()
    server = make_server(
        "127.0.0.1",
        0,
        DomainDispatcherApplication(create_backend_app),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    server.log = lambda *_, **__: None
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        shape = {k: v for k, v in _shape().items() if k[:6] != "Stream"}
        _client(url).create_table(**{**shape, "TableName": NAME})
        try:
            yield url
        finally:
            _client(url).delete_table(TableName=NAME)  # moto keeps it for all of this process
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run(url: str, race: Race) -> list[Any]:
    """What each caller came to; `race` must be importable, with nothing but values bound to it."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        results = pool.map(partial(_process, url, race), range(PROCESSES))
        return [result for some in results for result in some]


def table(url: str) -> Table:
    return Table(_client(url), NAME)


def _process(url: str, race: Race, process: int) -> list[Any]:
    shared, start = table(url), threading.Barrier(THREADS)

    def come(thread: int) -> Any:
        start.wait()
        return race(shared, process * THREADS + thread)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(come, range(THREADS)))


def _client(url: str) -> Any:
    session = botocore.session.get_session()
    config = Config(max_pool_connections=THREADS)
    return session.create_client("dynamodb", endpoint_url=url, config=config, **LOCAL_AWS)
