"""Ids and times that all examples share."""

from infra.reference.schemas import Schema

RESP, NEXT, CONV, MSG = "resp_68a1c0ffee", "resp_68a1c0ffef", "conv_68a1c0ffee", "msg_68a1c0ffee"
CREATED = 1_788_000_000


def one(value: Schema, name: str = "Example") -> Schema:
    return {name: {"value": value}}


def listed(*data: Schema) -> Schema:
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
    return {"object": "list", "data": list(data), **ends, "has_more": False}
