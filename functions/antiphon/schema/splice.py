"""Changes one member of a JSON object and leaves every other byte as it came."""

import json

from antiphon.schema.places import member


def value(body: bytes, name: str, new: str) -> bytes:
    """Give a top-level member another string as its value; a body without it stays as it is."""
    found = member(body, name)
    if found is None:
        return body
    return body[: found.value_start] + json.dumps(new).encode() + body[found.value_end :]


def key(body: bytes, name: str, new: str) -> bytes:
    """Give a top-level member another name; a body without it stays as it is."""
    found = member(body, name)
    if found is None:
        return body
    return body[: found.key_start] + json.dumps(new).encode() + body[found.key_end :]
