"""The whole document, put together."""

import json
import tomllib
from pathlib import Path

from pydantic import BaseModel

from infra.reference import failures, headers, parameters, schemas, streams
from infra.reference.answers import Error, OutputItem
from infra.reference.endpoints import ENDPOINTS, TAGS
from infra.reference.operation import operation
from infra.reference.schemas import Schema

PROJECT = Path(__file__).parents[2]
PLACE = PROJECT / "functions" / "reference" / "openapi.json"
ABOUT = """\
One governed door to the models of OpenAI and Azure OpenAI: the Responses API, as OpenAI's clients
speak it. Give a client this gateway's address as `base_url` and a key of its own; nothing else
changes.

- **Pass-through**: the request's bytes go to the provider as they came, the answer's bytes come
  back as they came. Keys, items, tools and events that are not listed here pass, too.
- **Ownership**: an id belongs to the tenant whose key made it; for all others it does not exist.
- **Affinity**: what continues a response or a conversation goes to the target that holds it.
- **Three prefixes**: `/v1`, `/openai/v1` and `/openai` (with any `api-version`) are the same API,
  so that Azure's clients work as well. Keys go in `Authorization: Bearer` or in `api-key`.
- **Antiphon's own**: what OpenAI does not have is marked `x-antiphon-extension: true`.

Every error has OpenAI's envelope: `message`, `type`, `param` and `code`.
"""
# Beside the document, wherever it was fetched: below an API Gateway's stage, too.
SERVERS = {
    "./v1": "As OpenAI's clients have it.",
    "./openai/v1": "As Azure OpenAI has it; `api-version` may be left out.",
    "./openai": "As Azure OpenAI had it, with an `api-version`.",
}
BEARER = {"type": "http", "scheme": "bearer", "description": "A key of this gateway."}
API_KEY = {"type": "apiKey", "in": "header", "name": "api-key", "description": "The same key."}


def written() -> str:
    return json.dumps(built(), indent=2, ensure_ascii=False) + "\n"


def built() -> Schema:
    """The document as data; the same models give the same document."""
    return {
        "openapi": "3.1.1",
        "info": _info(),
        "servers": [{"url": url, "description": about} for url, about in SERVERS.items()],
        "security": [{"bearer": []}, {"apiKey": []}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": _paths(),
        "components": _components(),
    }


def _info() -> Schema:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        "title": "Antiphon",
        "version": project["version"],
        "summary": project["description"],
        "description": ABOUT,
        "license": {"name": project["license"], "identifier": project["license"]},
    }


def _paths() -> Schema:
    paths: Schema = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = operation(endpoint)
    return paths


def _components() -> Schema:
    return {
        "securitySchemes": {"bearer": BEARER, "apiKey": API_KEY},
        "parameters": {"api-version": parameters.API_VERSION},
        "headers": headers.HEADERS,
        "responses": failures.responses(),
        "schemas": dict(sorted(_schemas().items())),
    }


def _schemas() -> Schema:
    models: set[type[BaseModel]] = {Error, OutputItem}
    models |= {endpoint.body.model for endpoint in ENDPOINTS if endpoint.body}
    models |= {e.answer for e in ENDPOINTS if not isinstance(e.answer, str)}
    return schemas.components(sorted(models, key=lambda m: m.__name__)) | streams.schemas()
