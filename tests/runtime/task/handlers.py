"""Handlers for the runtime's tests. A waiting body continues when the test writes to stdin."""

import dataclasses
import os
import pathlib
import sys
import threading

HEADERS = {"content-type": "text/event-stream"}
calls = []  # what the responses do not show


def echo(event, _context):
    return event


def returned(event, _context):
    return event["result"]


def state(_event, _context):
    return {
        "calls": calls,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "cwd": str(pathlib.Path.cwd()),
    }


def context(_event, context):
    return {**dataclasses.asdict(context), "left": context.get_remaining_time_in_millis()}


def raises(event, _context):
    exceptions = {
        "ConnectionResetError": ConnectionResetError,
        "GeneratorExit": GeneratorExit,
        "KeyboardInterrupt": KeyboardInterrupt,
        "SystemExit": SystemExit,
        "ValueError": ValueError,
    }
    raise exceptions[event["raise"]](*event["args"])


def unserialisable(_event, _context):
    return {"answer": object()}


def scripted(event, _context):
    """Returns a generator that follows the steps of a script."""
    if "script" not in event:
        return {"calls": calls}
    return {"statusCode": 200, "headers": HEADERS, "body": run_script(event["script"])}


def attached(event, _context):
    if event.get("late"):
        Attached.latest.send_from_thread(b"late")
    if "script" not in event:
        return {"calls": calls}
    return {"statusCode": 200, "headers": HEADERS, "body": Attached(event["script"])}


class Attached:
    """A body that also sends from another thread."""

    latest: "Attached"

    def __init__(self, script):
        self.script = script
        Attached.latest = self

    def attach(self, send):
        self.send = send
        calls.append("attached")

    def __iter__(self):
        return run_script(self.script, self.send_from_thread)

    def interrupt(self):
        calls.append("interrupted")

    def close(self):
        calls.append("body closed")
        if ["close fails"] in self.script:
            raise ValueError("will not close")

    def send_from_thread(self, data):
        thread = threading.Thread(target=self._send, args=(data,))
        thread.start()
        thread.join()

    def _send(self, data):
        if data.startswith(b"after release"):
            sys.stdin.readline()
        try:
            self.send(data)
        except BaseException as error:
            calls.append(f"raised: {error!r}")
            raise


# The chunk that a step makes.
MAKERS = {
    "chunk": lambda text, times=1: text.encode() * times,
    "text": lambda text: text,
    "calls": lambda: repr(calls).encode(),
}


def wait(announcement=""):
    sys.stdout.write(announcement)
    sys.stdout.flush()
    sys.stdin.readline()


def run_script(script, send=None):
    try:
        for verb, *arguments in script:
            if verb in MAKERS:
                yield MAKERS[verb](*arguments)
            elif verb == "wait":
                wait(*arguments)
            elif verb == "send":
                send(arguments[0].encode())
            elif verb == "raise":
                raises({"raise": arguments[0], "args": arguments[1:]}, None)
    finally:
        calls.append("iterator closed")
