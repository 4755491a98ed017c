"""One endpoint as a row, and the OpenAPI operation that is made of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal

from pydantic import BaseModel

from infra.reference import errors, headers, parameters, streams
from infra.reference.examples import STREAMS
from infra.reference.schemas import OURS, Schema, ref

type Access = Literal["provider", "gateway", "public"]

EXTENSION = " Antiphon's own: OpenAI has no such endpoint."
BINARY = "application/octet-stream"  # the answer of a download
IDEMPOTENCY_KEY = "Idempotency-Key"
KEYED = (400, 401, 429, 500, 503)
FROM_PROVIDER = (502, 504)
WITH_BODY = (413, 415)


@dataclass(frozen=True)
class Body:
    """A request body."""

    model: type[BaseModel]
    required: bool = True
    examples: Schema = field(default_factory=dict)
    media: str = "application/json"


@dataclass(frozen=True)
class Endpoint:
    """What differs from one endpoint to the next."""

    id: str  # operationId
    call: str  # "GET /responses/{id}"
    tag: str
    summary: str
    description: str
    answer: type[BaseModel] | str  # a media type, where it is not JSON of a model
    query: tuple[Schema, ...] = ()
    body: Body | None = None
    examples: Schema = field(default_factory=dict)  # of the answer
    stream: str = ""  # the condition under which the answer is a stream
    access: Access = "provider"  # who answers; "public" needs no key
    ours: bool = False  # OpenAI has no such endpoint

    @property
    def method(self) -> str:
        return self.call.split()[0].lower()

    @property
    def path(self) -> str:
        return self.call.split()[1]


def build_operation(endpoint: Endpoint) -> Schema:
    fields = {
        "operationId": endpoint.id,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": endpoint.description + (EXTENSION if endpoint.ours else ""),
        "security": [] if endpoint.access == "public" else None,
        "parameters": list(_parameters(endpoint)) or None,
        "requestBody": _body(endpoint),
        "responses": _responses(endpoint),
        **(OURS if endpoint.ours else {}),
    }
    return {key: value for key, value in fields.items() if value is not None}


def _parameters(endpoint: Endpoint) -> Iterator[Schema]:
    for part in endpoint.path.split("/"):
        if part.startswith("{"):
            yield parameters.path_parameter(part.strip("{}"))
    yield from endpoint.query
    if endpoint.access != "public":
        yield {"$ref": "#/components/parameters/api-version"}


def _body(endpoint: Endpoint) -> Schema | None:
    body = endpoint.body
    if body is None:
        return None
    content = {"schema": ref(body.model), "examples": body.examples}
    return {"required": body.required, "content": {body.media: content}}


def _responses(endpoint: Endpoint) -> Schema:
    success = {
        "description": _description(endpoint),
        "headers": headers.header_refs(_headers(endpoint)),
        "content": _content(endpoint),
    }
    errors_by_status = {
        str(status): errors.response_ref(status) for status in sorted(_error_statuses(endpoint))
    }
    rest = {"default": errors.response_ref("default")} if endpoint.access == "provider" else {}
    return {"200": success, **_of_downloads(endpoint, success), **errors_by_status, **rest}


def _of_downloads(endpoint: Endpoint, success: Schema) -> Schema:
    """Return the other successes of a download."""
    if endpoint.answer != BINARY:
        return {}
    empty = {"description": "The file is empty.", "headers": success["headers"]}
    return {"204": empty, "206": {**success, "description": "The part that `Range` requests."}}


def _description(endpoint: Endpoint) -> str:
    return f"The answer; a stream of events if {endpoint.stream}." if endpoint.stream else "OK."


def _headers(endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.access != "provider":
        lists = ("x-antiphon-consistency",) if endpoint.tag in {"Links", "Usage"} else ()
        return (*headers.ALWAYS, *lists)
    of_create = ("x-antiphon-replayed", "x-antiphon-rewrote")
    return (*headers.FROM_PROVIDER, *(of_create if endpoint.id == "createResponse" else ()))


def _content(endpoint: Endpoint) -> Schema:
    if isinstance(endpoint.answer, str):
        kind = "string" if endpoint.answer.startswith("text/") else "object"
        return {endpoint.answer: {"schema": {"type": kind}}}
    whole = {"schema": ref(endpoint.answer), "examples": endpoint.examples}
    if not endpoint.stream:
        return {"application/json": whole}
    stream = {"schema": streams.content(), "examples": STREAMS}
    return {"application/json": whole, "text/event-stream": stream}


def _error_statuses(endpoint: Endpoint) -> set[int]:
    if endpoint.access == "public":
        return {int(HTTPStatus.INTERNAL_SERVER_ERROR)}
    found = set(KEYED)
    found |= set(FROM_PROVIDER) if endpoint.access == "provider" else set()
    found |= set(WITH_BODY) if endpoint.body else set()
    pages = any(parameter.get("name") == "after" for parameter in endpoint.query)
    found |= {404} if "{" in endpoint.path or endpoint.body or pages else set()
    is_keyed = any(parameter.get("name") == IDEMPOTENCY_KEY for parameter in endpoint.query)
    found |= {409, 422} if is_keyed else set()
    found |= {426} if endpoint.id == "listResponses" else set()  # where a WebSocket would begin
    return found
