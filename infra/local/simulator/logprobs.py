"""Log probabilities of the tokens of a text; each delta of a stream is one token."""

from infra.local.simulator.items import Json, split_deltas
from infra.local.simulator.request_body import CreateRequest

LOGPROBS = "message.output_text.logprobs"  # value of `include`
PUNCTUATION = (".", ",", "!", "?", ":")
STEP = -0.25  # from one token to the next in the order of their probability
OTHERS = (
    "the",
    "a",
    "and",
    "so",
    "in",
    "of",
    "no",
    "on",
    "it",
    "is",
    "to",
    "for",
    "as",
    "at",
    "by",
)


def add_logprobs(message: Json, request: CreateRequest) -> Json:
    """Returns a message with the log probabilities of its text, if the request includes them."""
    if LOGPROBS not in request.include:
        return message
    count = request.body.get("top_logprobs") or 0
    parts = [_with_logprobs(part, count) for part in message["content"]]
    return {**message, "content": parts}


def _with_logprobs(part: Json, count: int) -> Json:
    if part["type"] != "output_text":
        return part
    return {**part, "logprobs": [_describe(token, count) for token in split_deltas(part["text"])]}


def _describe(token: str, count: int) -> Json:
    words = [token, *(word for word in OTHERS if word != token), *PUNCTUATION][:count]
    top = [_probability(word, place) for place, word in enumerate(words)]
    return {**_probability(token, 0), "top_logprobs": top}


def _probability(token: str, place: int) -> Json:
    return {"token": token, "bytes": list(token.encode()), "logprob": STEP * (place + 1)}
