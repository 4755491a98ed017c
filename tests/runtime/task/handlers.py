"""Handlers for the runtime's tests. A body waits for a line on stdin: the test lets it go on."""

import dataclasses
import os
import pathlib
import sys
import threading

HEADERS = {"content-type": "text/event-stream"}
heard = []  # what happened where no answer shows it


def echo(event, _context):
    return event


def returned(event, _context):
    return event["result"]


def news(_event, _context):
    return {
        "heard": heard,
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


def played(event, _context):
    """Plays the script of a body, step by step, as a generator."""
    if "script" not in event:
        return {"heard": heard}
    return {"statusCode": 200, "headers": HEADERS, "body": play(event["script"])}


def attached(event, _context):
    if event.get("late"):
        Attached.latest.from_a_thread(b"late")
    if "script" not in event:
        return {"heard": heard}
    return {"statusCode": 200, "headers": HEADERS, "body": Attached(event["script"])}


class Attached:
    """A body that also sends from another thread."""

    latest: "Attached"

    def __init__(self, script):
        self.script = script
        Attached.latest = self

    def attach(self, send):
        self.send = send
        heard.append("attached")

    def __iter__(self):
        return play(self.script, self.from_a_thread)

    def close(self):
        heard.append("closed by name")
        if ["close fails"] in self.script:
            raise ValueError("will not close")

    def from_a_thread(self, data):
        thread = threading.Thread(target=self._say, args=(data,))
        thread.start()
        thread.join()

    def _say(self, data):
        if data.startswith(b"when told"):
            sys.stdin.readline()
        try:
            self.send(data)
        except BaseException as error:
            heard.append(f"surfaced: {error!r}")
            raise


def play(script, say=None):
    try:
        for verb, *arguments in script:
            text = arguments[0] if arguments else ""
            if verb == "wait":
                sys.stdin.readline()
            elif verb == "say":
                say(text.encode())
            elif verb == "close fails":
                continue
            elif verb == "raise":
                raises({"raise": text, "args": arguments[1:]}, None)
            else:
                yield text.encode() if verb == "chunk" else text
    finally:
        heard.append("closed")
