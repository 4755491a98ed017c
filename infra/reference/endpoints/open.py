"""What needs no key: health and the reference itself. They answer without a prefix, too."""

from infra.reference.answers import Health
from infra.reference.endpoints.endpoint import Endpoint
from infra.reference.examples import answers

TAG = "Gateway"
OPEN = (
    Endpoint(
        "getHealth",
        "GET /health",
        TAG,
        "Health",
        "Tells whether the gateway starts and answers; it asks nobody else.",
        Health,
        examples=answers.HEALTH,
        answered_by="anyone",
        ours=True,
    ),
    Endpoint(
        "getReference",
        "GET /openapi.json",
        TAG,
        "This document",
        "Gives the OpenAPI 3.1 description of the gateway.",
        "application/json",
        answered_by="anyone",
        ours=True,
    ),
    Endpoint(
        "getReferencePage",
        "GET /docs",
        TAG,
        "The page to read it and try it",
        "Shows this document in a browser, where a reader with a key can send requests.",
        "text/html",
        answered_by="anyone",
        ours=True,
    ),
)
