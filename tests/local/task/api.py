"""The function behind the gateway in these tests: it runs the steps of the request's body.

[["send", "data: 1"], ["gate", PORT, "name"], ["raise", "why"], ["exit", 3]]
"""

import json
import os
import signal
import socket
import time

if os.environ.get("POWERTOOLS_LOG_LEVEL") == "BROKEN":
    raise RuntimeError("this function cannot start")


def handler(event, context):
    path = event.get("rawPath") or event["path"]
    if path == "/method":
        headers = {"x-method": event["requestContext"]["http"]["method"]}
        return {"statusCode": 200, "headers": headers, "body": "{}"}
    if path in ANSWERS:
        return {"statusCode": 200, "body": json.dumps(ANSWERS[path](event, context))}
    steps = json.loads(event["body"])
    if steps[0][0] == "prelude":
        return {**steps[0][1], "body": stream(steps[1:])}
    return {"statusCode": 200, "body": stream(steps)}


def stream(steps):
    for name, *arguments in steps:
        yield from STEPS[name](*arguments)


def send(text):
    yield text.encode()


def pid():
    yield str(os.getpid()).encode()


def many(count, size):
    yield from (b"x" * size for _ in range(count))


def pace(count, seconds):
    """For measurements by hand: the cost of a chunk."""
    for n in range(count):
        yield b"data: %d %s\n\n" % (n, b"x" * 120)
        time.sleep(seconds)


def gate(port, name):
    """Report to the test that the function is here, and wait until it is released."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"{name} {os.getpid()}\n".encode())
        connection.recv(1)
    return ()


def deaf():
    """Wait forever and ignore SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.pause()
    return ()


def fail(reason):
    raise RuntimeError(reason)


STEPS = {
    "send": send,
    "pid": pid,
    "many": many,
    "pace": pace,
    "gate": gate,
    "deaf": deaf,
    "raise": fail,
    "exit": os._exit,
}
ANSWERS = {
    "/event": lambda event, _: event,
    "/env": lambda _event, _context: dict(os.environ),
    "/deadline": lambda _, context: context.get_remaining_time_in_millis(),
}
