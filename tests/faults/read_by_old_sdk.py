"""Reads streams with the openai package of its own environment; each way to read one."""

import json
import sys

import openai


def read(client, id, way):
    """The types of the events that came, and what was raised behind them."""
    types = []
    parameters = {"model": "gpt-5", "input": id}
    try:
        if way == "helped":
            with client.responses.stream(**parameters) as events:
                types.extend(event.type for event in events)
        else:
            with client.responses.create(stream=True, **parameters) as events:
                types.extend(event.type for event in events)
    except openai.APIError as exc:
        return types, repr(exc)
    return types, None


def main():
    client = openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2])
    print(json.dumps([read(client, id, way) for id, way in json.load(sys.stdin)]))  # noqa: T201


main()
