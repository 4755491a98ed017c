"""Peers of other projects: what is left out is named with its reason, what is there is compared."""

import io
from contextlib import AsyncExitStack

from rich.console import Console

from infra.local.processes import Processes
from tests.bench import peer_process, peer_programs
from tests.bench.bars import bars
from tests.bench.machine import machine
from tests.bench.peer_programs import LITELLM, NotInstalled, PeerPrograms, Program
from tests.bench.report import show
from tests.bench.rig import NAIVE, OURS, player

# Answers 500 to a stream, as one of the peers does.
DEAF = """
import http.server, sys
class Deaf(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(500 if b'"stream": true' in body else 200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
    def log_message(self, *_): ...
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Deaf).serve_forever()
"""


async def test_a_peer_that_does_not_stream_or_start_is_left_out_by_a_reason(tmp_path):
    deaf = Program(lambda port, *_: ["python3", "-c", DEAF, str(port)])
    absent = Program(lambda *_: ["/no/such/program"])
    found = PeerPrograms({"deaf": deaf, "absent": absent})
    async with Processes() as processes, AsyncExitStack() as stack:
        provider = await stack.enter_async_context(player(processes, "provider"))
        place = (provider.address, tmp_path)
        peers, streaming = await peer_process.start_all(stack, processes, found, place)
        assert (set(peers), streaming) == ({"deaf"}, set())
        assert set(found.programs) == {"deaf"}
    assert set(found.left_out) == {"deaf, of streams", "absent, of everything"}
    assert "status 500" in found.left_out["deaf, of streams"]


def test_one_that_cannot_be_installed_is_named_in_the_tables(monkeypatch):
    def refuse():
        raise NotInstalled("no [network]")

    monkeypatch.setattr(peer_programs, "INSTALLERS", {LITELLM: refuse})
    found = peer_programs.install(lambda _: None)
    assert found.programs == {}
    page = io.StringIO()
    results = {"functions": "nothing", "left_out": found.left_out}
    show(Console(file=page, width=120), {"machine": machine(), "results": results}, [])
    assert f"Without {LITELLM}: no [network]" in page.getvalue()


def test_litellm_must_be_four_times_behind():
    rows = {OURS: (100, 50), NAIVE: (90, 40), LITELLM: (4000, 199)}
    start = {name: {"ms": {"p50": ms}, "rss_mb": mb} for name, (ms, mb) in rows.items()}
    behind = {bar.what: bar for bar in bars({"start": start}) if bar.unit == "x"}
    assert behind["start to first answer, p50"].holds is True
    assert behind["resident memory"].holds is False
