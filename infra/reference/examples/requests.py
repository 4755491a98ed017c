"""Bodies to send."""

from infra.reference.examples.names import RESP, one
from infra.reference.schemas import Schema

CREATE: Schema = {
    "Text": {
        "summary": "A question",
        "value": {"model": "gpt-5", "input": "Say hello in Latin.", "metadata": {"team": "search"}},
    },
    "Streamed": {
        "summary": "Streamed, event by event",
        "value": {"model": "gpt-5", "input": "Tell me a story.", "stream": True},
    },
    "Chained": {
        "summary": "The next turn, at the target that holds the last one",
        "value": {"model": "gpt-5", "previous_response_id": RESP, "input": "And in Greek?"},
    },
    "Background": {
        "summary": "In the background; follow it with GET /responses/{id}",
        "value": {"model": "gpt-5", "input": "Write the report.", "background": True},
    },
    "Azure": {
        "summary": "As Azure's clients send it: POST /openai/responses?api-version=…",
        "description": "With the key in `api-key`. `model` is the public name that `gateway.toml` "
        "maps to a deployment.",
        "value": {
            "model": "gpt-5",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hello"}]}],
            "max_output_tokens": 200,
        },
    },
    "Function": {
        "summary": "With a function that the model may call",
        "value": {
            "model": "gpt-5",
            "input": "What is the weather in Bern?",
            "tools": [
                {
                    "type": "function",
                    "name": "weather",
                    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                }
            ],
        },
    },
}
COUNT = one({"model": "gpt-5", "input": "Say hello in Latin."})
COMPACT = one({"model": "gpt-5", "previous_response_id": RESP})
START = one({"metadata": {"team": "search"}, "items": [{"role": "user", "content": "Salve!"}]})
UPDATE = one({"metadata": {"team": "search"}})
ADD = one({"items": [{"role": "user", "content": "And in Greek?"}]})
