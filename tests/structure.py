"""How many files, functions and hops one warm streamed create enters: `python -m tests.structure`.

Drives the handler in this process through the runtime's own loop, over an embedded AWS and a
scripted provider, and watches each call of a function in functions/antiphon. A call of an AWS
service is one step, as it is where a library makes it: what is behind it is not followed.
"""

import json
import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from antiphon import wiring
from antiphon.runtime.api import RuntimeApi
from antiphon.runtime.loop import Loop
from infra.local.runtime_api.function import function_environment
from tests.runtime.fake_runtime_api import FakeRuntimeApi
from tests.support.events import make_events
from tests.support.function import FUNCTIONS, RunningFunction, make_create_event
from tests.support.gateway import run_local_aws
from tests.support.provider import FakeProvider, encode_stream

PACKAGE = str(Path(__file__).parents[1] / "functions" / "antiphon") + os.sep
AWS_CALLS = f"{PACKAGE}store/aws_api.py"


@dataclass
class Trace:
    """What one request enters; a hop is a call from a function in another file of the package."""

    files: set[str] = field(default_factory=set)
    functions: set[tuple[str, str]] = field(default_factory=set)
    hops: int = 0

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        path = frame.f_code.co_filename
        if event != "call" or not path.startswith(PACKAGE) or _is_in_aws_call(frame):
            return
        file = path.removeprefix(PACKAGE)
        self.files.add(file)
        self.functions.add((file, frame.f_code.co_qualname))
        caller = _calling_file(frame)
        if caller is not None and caller != path:
            self.hops += 1


def _is_in_aws_call(frame: FrameType | None) -> bool:
    while frame is not None and frame.f_code.co_filename != AWS_CALLS:
        frame = frame.f_back
    return frame is not None


def _calling_file(frame: FrameType) -> str | None:
    above = frame.f_back
    while above is not None and not above.f_code.co_filename.startswith(PACKAGE):
        above = above.f_back
    return above and above.f_code.co_filename


LIMITS = {"rpm": 100_000, "tpm": 1_000_000_000, "streams": 1000, "budget_usd": 1_000_000}


def trace_create(endpoint: str, folder: Path, *, is_full: bool) -> Trace:
    """Trace a create with the AWS at `endpoint`; a full one has limits and an Idempotency-Key."""
    provider = FakeProvider()
    config = folder / "gateway.json"
    target = {"provider": "openai", "base_url": f"{provider.address}/v1", "models": ["gpt-*"]}
    tenants = {"acme": LIMITS} if is_full else {}
    config.write_text(json.dumps({"targets": {"openai": target}, "tenants": tenants}))
    try:
        with _environment(function_environment(FUNCTIONS, endpoint, config, os.environ)):
            return _trace_second(provider, is_full=is_full)
    finally:
        provider.close()


def _trace_second(provider: FakeProvider, *, is_full: bool) -> Trace:
    """The first create is the warm-up: imports, connections, keys in the cache."""
    fake = FakeRuntimeApi()
    api = RuntimeApi(fake.address)
    loop = Loop(api, wiring.api(os.environ), is_buffered=False)
    invoke = RunningFunction(fake)
    traces = [Trace(), Trace()]
    try:
        for number, trace in enumerate(traces):
            provider.respond_with(encode_stream(*make_events(f"resp_{number}")))
            more = {"idempotency-key": f"key-{number}"} if is_full else {}
            body = {"model": "gpt-5", "input": "x", "stream": True}
            event = make_create_event(body, **more)
            caller = threading.Thread(target=invoke, args=(event,))
            caller.start()
            sys.setprofile(trace)
            try:
                loop.serve(api.next_invocation())
            finally:
                sys.setprofile(None)
            caller.join()
    finally:
        api.close()
        fake.close()
    return traces[-1]


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def main() -> None:
    with run_local_aws() as endpoint, tempfile.TemporaryDirectory() as folder:
        for name, is_full in (("plain", False), ("with limits and Idempotency-Key", True)):
            trace = trace_create(endpoint, Path(folder), is_full=is_full)
            counts = (
                f"{len(trace.files)} files, {len(trace.functions)} functions, {trace.hops} hops"
            )
            sys.stdout.write(f"{name}: {counts}\n")
            sys.stdout.write("".join(f"  {file}\n" for file in sorted(trace.files)))


if __name__ == "__main__":
    main()
