"""Builds the whole OpenAPI document."""

import json
import tomllib
from functools import cache
from pathlib import Path

from pydantic import BaseModel

from antiphon.schema.unserved import UNSERVED
from infra.reference import answers, errors, headers, parameters, schemas, streams
from infra.reference.answers import Error
from infra.reference.endpoints import ENDPOINTS, TAGS
from infra.reference.equal_schemas import merge_equal_schemas
from infra.reference.operation import build_operation
from infra.reference.schemas import Schema

PROJECT = Path(__file__).parents[2]
PATH = PROJECT / "functions" / "reference" / "openapi.json"
ABOUT = """\
One governed base URL for the models of OpenAI and Azure OpenAI: the Responses API, for OpenAI's own
clients. Give a client this gateway's address as `base_url` and a key of this gateway; nothing else
changes.

- **Pass-through**: the request's bytes go to the provider unchanged, and the answer's bytes come
  back unchanged. Keys, items, tools and events that are not listed here pass, too.
- **Ownership**: an id belongs to the tenant whose key created it; for all others it does not
  exist.
- **Affinity**: a request that continues a response or a conversation goes to the target that
  stores it.
- **Three prefixes**: `/v1`, `/openai/v1` and `/openai` (with any `api-version`) are the same API,
  so that Azure's clients work as well. Keys go in `Authorization: Bearer` or in `api-key`.
- **Antiphon's own** parts, which OpenAI does not have, are marked `x-antiphon-extension: true`.

Every error has OpenAI's envelope: `message`, `type`, `param` and `code`.

One path is not listed, since no client calls it: `POST /webhooks/{target}`. It exists only for each
target that has `receives_webhooks` in the gateway's configuration; the target's provider reports
there, with its signature in place of a key, that a background response or a batch has ended.

What other parts of OpenAI's API get is a 404 with the code `endpoint_not_served`:

"""
# Relative to the document's own URL, so that they work below an API Gateway's stage, too.
SERVERS = {
    "./v1": "The prefix of OpenAI's clients.",
    "./openai/v1": "The prefix of Azure OpenAI; `api-version` is optional.",
    "./openai": "The older prefix of Azure OpenAI, with an `api-version`.",
}
BEARER = {"type": "http", "scheme": "bearer", "description": "A key of this gateway."}
API_KEY = {"type": "apiKey", "in": "header", "name": "api-key", "description": "The same key."}


@cache
def build_text() -> str:
    return json.dumps(build_document(), indent=2, ensure_ascii=False) + "\n"


def build_document() -> Schema:
    """Return the document; the same models give the same document."""
    document: Schema = {
        "openapi": "3.1.1",
        "info": _info(),
        "servers": [{"url": url, "description": about} for url, about in SERVERS.items()],
        "security": [{"bearer": []}, {"apiKey": []}],
        "tags": [{"name": name, "description": about} for name, about in TAGS.items()],
        "paths": _paths(),
        "components": _components(),
    }
    return merge_equal_schemas(document)


def unserved_table() -> str:
    """Return the table of what is not served, in Markdown."""
    rows = [(", ".join(f"`{path}`" for path in a.paths), a.reason, a.instead) for a in UNSERVED]
    lines = [("not served", "why", "instead"), ("---",) * 3, *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _info() -> Schema:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
    return {
        "title": "Antiphon",
        "version": project["version"],
        "summary": project["description"],
        "description": ABOUT + unserved_table(),
        "license": {"name": project["license"], "identifier": project["license"]},
    }


def _paths() -> Schema:
    paths: Schema = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method] = build_operation(endpoint)
    return paths


def _components() -> Schema:
    return {
        "securitySchemes": {"bearer": BEARER, "apiKey": API_KEY},
        "parameters": {"api-version": parameters.API_VERSION},
        "headers": headers.HEADERS,
        "responses": errors.error_responses(),
        "schemas": dict(sorted(_schemas().items())),
    }


def _schemas() -> Schema:
    models: set[type[BaseModel]] = {Error}
    models |= {endpoint.body.model for endpoint in ENDPOINTS if endpoint.body}
    models |= {e.answer for e in ENDPOINTS if not isinstance(e.answer, str)}
    ours = sorted((m for m in models if not answers.is_provider_type(m)), key=lambda m: m.__name__)
    own = schemas.build_components(ours)
    return {**answers.provider_schemas(frozenset(own)), **own, **streams.schemas()}
