"""A module as the gateway's doors are: a copy of its process gets a handler of its own."""

import gc
import os
import random

random.seed(1)  # each copy of the process begins with the same state
FIRST_NUMBER = random.Random(1).random()
created = []


def create_handler():
    if created and "RENEWAL" in os.environ:
        raise OSError(os.environ["RENEWAL"])
    created.append(os.getpid())
    number = len(created)

    def handler(_event, _context):
        is_new = random.random() != FIRST_NUMBER
        memory = gc.isenabled(), gc.get_freeze_count() > 0
        return {"handler": number, "repeats": not is_new, "pids": created, "memory": memory}

    return handler


handler = create_handler()
