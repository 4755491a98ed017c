"""What the endpoints report of the end of each reply, which the function does not know."""

import asyncio
import json
from contextlib import closing, suppress

import pytest

from infra.local.http.endpoint import FUNCTION_URL
from infra.local.http.request_end import error_message
from infra.local.request_feed import serve_feed
from infra.local.request_log import RequestLog
from infra.local.request_printer import RequestPrinter
from infra.traffic.cost import RequestCosts
from infra.traffic.printing import print_json_line
from infra.traffic.sources import LocalLines, SourceEnded
from tests.local.gateway_rig import gateway
from tests.traffic.lines import answered, ended, log_line, reply, started
from tests.traffic.test_traffic_line import CONFIG

ERROR = json.dumps({"error": {"message": "No such model.", "code": "model_not_found"}})


async def test_each_reply_has_one_end():
    """In one gateway: a reply, an error, a failure before and one after the first byte."""
    ends = asyncio.Queue()
    async with gateway(on_end=ends.put_nowait) as endpoints:
        done = await endpoints.steps("url", ["send", "a"])
        assert await done.answer() == b"a"
        end = await ends.get()
        assert (end.method, end.path, end.status) == ("POST", "/", 200)
        assert (end.message, end.failure, end.caller_gone) == (None, None, False)
        prelude = ["prelude", {"statusCode": 404}]
        refused = await endpoints.steps("rest", prelude, ["send", ERROR])
        assert await refused.head() == 404
        assert (await ends.get()).message == "No such model."
        failed = await endpoints.steps("url", ["raise", "why"])
        assert await failed.head() == 502
        end = await ends.get()
        assert (end.status, end.failure) == (502, "RuntimeError: why")
        broken = await endpoints.steps("url", ["send", "a"], ["raise", "why"])
        with pytest.raises(asyncio.IncompleteReadError):
            await broken.answer()
        assert "RuntimeError" in (await ends.get()).failure


@pytest.mark.asyncio(loop_scope="module")
async def test_a_caller_that_left_is_reported(gate):
    ends = asyncio.Queue()
    async with gateway(on_end=ends.put_nowait) as endpoints:
        steps = ["send", "a"], ["gate", gate.port, "left"], ["many", 20, 100_000]
        call = await endpoints.steps("url", *steps)
        await call.head()
        waiting = await gate.arrival()
        await call.close()
        waiting.release()
        assert (await ends.get()).caller_gone


async def test_what_the_endpoint_refuses_is_reported_without_an_id():
    ends = asyncio.Queue()
    async with gateway(on_end=ends.put_nowait) as endpoints:
        size = b"Content-Length: %d" % (FUNCTION_URL.max_body_bytes + 1)
        call = await endpoints.send("url", "POST /v1/files", headers=[size])
        assert await call.head() == 413
        end = await ends.get()
        assert (end.request_id, end.path, end.message) == (
            None,
            "/v1/files",
            "Request Entity Too Large",
        )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (ERROR.encode(), "No such model."),
        (b'{"message":"Forbidden"}', "Forbidden"),
        (b'{"error":{"message":5}}', None),
        (b"[]", None),
        (b"no JSON", None),
        (b"[" * 30_000 + b"]" * 30_000, None),
    ],
)
def test_messages_are_read_from_errors_of_both_shapes(body, message):
    assert error_message(body) == message


def test_only_lines_of_requests_leave_the_log():
    log, raw, lines = RequestLog(), RequestLog(prints_raw=True), []
    with log.subscribe(lines.append):
        written = (answered("r"), ended("r"), log_line("refused"), log_line("other"))
        assert [log.take(each.encode()) for each in written] == [True, True, True, False]
    assert len(lines) == len(log.since(0)) == 2
    assert log.since(float("inf")) == []
    assert not raw.take(answered("r").encode())
    assert len(raw.since(0)) == 1


async def test_requests_are_printed_as_json_together_a_moment_later(capsys):
    """Nothing is printed while a reply may be waiting for the same loop."""
    log, printer = RequestLog(), RequestPrinter(RequestCosts(CONFIG), print_json_line)
    with log.subscribe(printer.collect):
        for line in (answered("r1"), reply("r1"), started("r2"), ended("r2"), reply("r2")):
            log.add(line.encode())
        assert capsys.readouterr().out == ""
        printer.flush()
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert (first["request_id"], first["cost_usd"]) == ("r1", pytest.approx(0.0009985))
    assert (second["end"], second["first_event_ms"]) == ("completed", 310.4)


async def test_a_client_of_the_feed_follows_until_the_gateway_ends():
    loop, has_first, log = asyncio.get_running_loop(), asyncio.Event(), RequestLog()
    log.add(b"first")

    def follow(port):
        lines = []
        with closing(LocalLines(port, 0, follow=True)) as source, suppress(SourceEnded):
            while True:
                lines += source.read()
                if lines == ["first"]:
                    loop.call_soon_threadsafe(has_first.set)
        return lines

    async with serve_feed(log) as port:
        following = asyncio.create_task(asyncio.to_thread(follow, port))
        await has_first.wait()
        log.add(b"next")
        with closing(LocalLines(port, 0, follow=False)) as source:
            assert await asyncio.to_thread(source.read) == ["first", "next"]
    assert await following == ["first", "next"]


async def test_printing_ends_where_nobody_reads_it():
    def fail(record):
        printed.append(record)
        raise BrokenPipeError

    printed = []
    printer = RequestPrinter(RequestCosts(CONFIG), fail)
    for number in range(2):
        printer.collect(answered(f"r{number}").encode())
        printer.collect(reply(f"r{number}").encode())
        printer.flush()
    assert len(printed) == 1
