"""The page's reader of server-sent events, in Node.js: the stream is cut at every character."""

import json
import subprocess
from pathlib import Path

from infra.node import build_command, build_environment

SCRIPT = Path(__file__).parents[2] / "functions" / "reference" / "page" / "stream.js"
STREAM = ": ping\n\nevent: a\ndata: é1\n\ndata:2\r\ndata:  3\r\n\r\nevent: b\rdata\r\rdata: cut"
EVENTS = [["a", "é1"], ["message", "2\n 3"], ["b", ""]]
PROGRAM = """
const { readEvents } = await import(process.argv[1]);
const bytes = new TextEncoder().encode(process.argv[2]);
const results = new Set();
for (let size = 1; size <= bytes.length; size += 1) {
  const chunks = [];
  for (let i = 0; i < bytes.length; i += size) chunks.push(bytes.slice(i, i + size));
  const events = [];
  for await (const { type, data } of readEvents(ReadableStream.from(chunks))) {
    events.push([type, data]);
  }
  results.add(JSON.stringify(events));
}
console.log(JSON.stringify([...results]));
"""


def test_events_are_the_same_wherever_the_stream_is_cut():
    arguments = ["--no-warnings", "--input-type=module", "--eval", PROGRAM, SCRIPT.as_uri(), STREAM]
    got = subprocess.run(
        build_command("node", *arguments),
        env=build_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    (result,) = json.loads(got.stdout)
    assert json.loads(result) == EVENTS
