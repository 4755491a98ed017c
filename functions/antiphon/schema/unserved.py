"""Paths that the gateway does not serve: why not, and what to call instead.

docs/endpoints.md and the reference have the same table.
"""

import re
from dataclasses import dataclass

from antiphon.errors import EndpointNotServed, MethodNotAllowed

SERVED = (
    "responses, conversations, files, uploads, vector_stores, containers, skills, batches and "
    "webhook_endpoints (if enabled), models and usage"
)
RESPONSES = "call client.responses.create (POST /v1/responses)"
DIRECTLY = "call the provider directly, with a key of its own"
ANOTHER_API = "the gateway serves the Responses API only"
PREFIX = re.compile(r"/(?:v1|openai/v1|openai)(?=/|\Z)")
DEPLOYMENT = re.compile(r"/deployments/[^/]+(?=/)")  # in paths of Azure's older clients
DOUBLED = re.compile(r"/(?:v1|openai|responses/responses)(?:/|\Z)")
DOUBLED_CREATE = "/responses/responses"  # served with GET, as the path of a response


@dataclass(frozen=True)
class UnservedApi:
    """Paths, below a prefix, that begin with one of these; the texts are parts of a sentence."""

    paths: tuple[str, ...]
    reason: str
    instead: str


UNSERVED = (
    UnservedApi(
        ("/chat/completions", "/completions"),
        ANOTHER_API,
        f"{RESPONSES}; in LangChain, ChatOpenAI(use_responses_api=True)",
    ),
    UnservedApi(
        ("/assistants", "/threads"),
        "OpenAI has ended this API",
        f"{RESPONSES} with a conversation",
    ),
    UnservedApi(
        ("/images",),
        ANOTHER_API,
        f'{RESPONSES} with the tool {{"type": "image_generation"}}',
    ),
    UnservedApi(("/moderations",), ANOTHER_API, f"{RESPONSES} with `moderation`"),
    UnservedApi(
        ("/realtime",),
        "a Lambda function cannot serve a WebSocket",
        f"{RESPONSES} with stream=True",
    ),
    UnservedApi(("/embeddings", "/audio", "/videos"), ANOTHER_API, DIRECTLY),
    UnservedApi(
        ("/fine_tuning", "/evals", "/organization", "/webhooks"),
        "it belongs to the provider's account, not to a tenant",
        DIRECTLY,
    ),
)


def endpoint_not_served(method: str, path: str) -> EndpointNotServed:
    """Return the error for a path that no method is served at: it says what to call instead."""
    found = PREFIX.match(path)
    if found is None:
        begins = "The API begins at /v1: the base URL of a client must end with /v1."
        return EndpointNotServed(f"Invalid URL ({method} {path}). {begins} {_served()}")
    below = DEPLOYMENT.sub("", path[found.end() :], count=1)
    if DOUBLED.match(below):
        return EndpointNotServed(f"Invalid URL ({method} {path}). {_doubled()}")
    for api in UNSERVED:
        if any(below == start or below.startswith(f"{start}/") for start in api.paths):
            message = f"{method} {path} is not served: {api.reason}. Instead, {api.instead}."
            return EndpointNotServed(f"{message} {_served()}")
    return EndpointNotServed(f"Invalid URL ({method} {path}). {_served()}")


def method_not_served(method: str, path: str, allowed: str) -> MethodNotAllowed:
    """Return the error for a path that is served with other methods; `allowed` names them."""
    message = f"The method {method} is not served at {path}. Allowed: {allowed}."
    if path.endswith(DOUBLED_CREATE):
        message = f"{message} {_doubled()}"
    return MethodNotAllowed(message, headers={"allow": allowed})


def _served() -> str:
    return f"Served are {SERVED}: see GET /openapi.json."


def _doubled() -> str:
    return (
        "A part of the path is there twice: the base URL of a client must end with /v1, once, and "
        "without /responses."
    )
