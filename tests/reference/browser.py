"""Drives a headless Chromium through its debugging pipe, without a port."""

import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
MISSING = "Chromium is not installed: run `apt-get install chromium`."
OPTIONS = (
    "--headless=new",
    "--no-sandbox",  # which the root of a container cannot have
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-pipe",
)
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) =>
  violations.push(`${e.effectiveDirective} ${e.blockedURI}`));
"""

type Message = dict[str, Any]


class Page:
    """One tab: it takes commands, returns values of the page, and records all events."""

    def __init__(self, commands: IO[bytes], messages: IO[bytes]) -> None:
        self._commands = commands
        self._messages = messages
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session: Message = {}
        self.events: list[Message] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": attached["sessionId"]}
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._call(f"{domain}.enable")
        self._call("Page.addScriptToEvaluateOnNewDocument", source=WATCH)

    def open(self, url: str) -> None:
        self._call("Page.navigate", url=url)

    def value(self, expression: str) -> Any:
        params = {"expression": expression, "awaitPromise": True, "returnByValue": True}
        return self._call("Runtime.evaluate", **params)["result"].get("value")

    def until(self, expression: str) -> Any:
        """The first value that is true; the test's time limit ends the wait."""
        step = (
            f"const step = () => {{ const v = {expression}; v ? done(v) : setTimeout(step, 50) }}"
        )
        return self.value(f"new Promise((done) => {{ {step}; step(); }})")

    def click(self, selector: str) -> None:
        found = f"document.querySelector({json.dumps(selector)})"
        self.until(found + " !== null")
        self.value(f"{found}.click()")

    def write(self, selector: str, text: str) -> None:
        """Replace the text of a field."""
        found = f"document.querySelector({json.dumps(selector)})"
        self.until(found + " !== null")
        self.value(f"{found}.focus(), {found}.select()")
        self._call("Input.insertText", text=text)

    def params_of(self, method: str) -> Iterator[Message]:
        """The parameters of every event of a method, such as `Network.requestWillBeSent`."""
        return (event["params"] for event in self.events if event.get("method") == method)

    def _call(self, method: str, **params: Any) -> Message:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params, **self._session}
        self._commands.write(json.dumps(message).encode() + b"\0")
        self._commands.flush()
        for answer in self._read_messages():
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self.events.append(answer)
        raise AssertionError("Chromium has ended.")

    def _read_messages(self) -> Iterator[Message]:
        while True:
            while b"\0" in self._rest:
                message, _, self._rest = self._rest.partition(b"\0")
                yield json.loads(message)
            data = os.read(self._messages.fileno(), 1 << 20)
            if not data:
                return
            self._rest += data


@contextmanager
def opened(folder: os.PathLike[str]) -> Iterator[Page]:
    """Chromium reads its commands from descriptor 3 and answers on descriptor 4."""
    swap = 'exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null'
    command = ["/bin/sh", "-c", swap, "sh", PROGRAM, *OPTIONS, f"--user-data-dir={folder}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield Page(process.stdin, process.stdout)
        finally:
            process.terminate()
