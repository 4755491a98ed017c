"""What the functions with an event source do in these tests: the test chooses their results."""

import json
import os
import socket
from pathlib import Path


def wait_for_result(event):
    """Send the event to the test, and return, raise or exit as it answers."""
    port = json.loads(Path(os.environ["CONFIG_FILE"]).read_text())["port"]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        name = os.environ["AWS_LAMBDA_FUNCTION_NAME"].rpartition("-")[2]
        message = {"name": name, "pid": os.getpid(), "event": event}
        connection.sendall(json.dumps(message).encode() + b"\n")
        answer = json.loads(connection.makefile("rb").readline())
    if answer == "exit":
        os._exit(1)
    if answer == "raise":
        raise RuntimeError("as the test wants")
    return answer
