import os

from antiphon.runtime import hooks

heard = []


@hooks.before_snapshot
def first():
    heard.append("before, registered first")


@hooks.before_snapshot
def second():
    heard.append("before, registered last")
    if os.environ.get("FAILS") == "before":
        raise ConnectionError("still é open")


@hooks.after_restore
def third():
    heard.append("after, registered first")


@hooks.after_restore
def fourth():
    heard.append("after, registered last")
    if os.environ.get("FAILS") == "after":
        raise LookupError("no é network")


def handler(_event, _context):
    return heard
