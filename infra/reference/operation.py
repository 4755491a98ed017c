"""One endpoint's row, written out as an OpenAPI operation."""

from collections.abc import Iterator
from http import HTTPStatus

from infra.reference import failures, headers, parameters, streams
from infra.reference.endpoints.endpoint import Endpoint
from infra.reference.examples.streams import STREAMS
from infra.reference.schemas import OURS, Schema, ref

EXTENSION = " Antiphon's own: OpenAI has no such endpoint."
KEYED = (400, 401, 429, 500, 503)
FROM_PROVIDER = (502, 504)
WITH_BODY = (413, 415)


def operation(endpoint: Endpoint) -> Schema:
    made = {
        "operationId": endpoint.id,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": endpoint.about + (EXTENSION if endpoint.ours else ""),
        "security": [] if endpoint.answered_by == "anyone" else None,
        "parameters": list(_parameters(endpoint)) or None,
        "requestBody": _body(endpoint),
        "responses": _responses(endpoint),
        **(OURS if endpoint.ours else {}),
    }
    return {key: value for key, value in made.items() if value is not None}


def _parameters(endpoint: Endpoint) -> Iterator[Schema]:
    for part in endpoint.path.split("/"):
        if part.startswith("{"):
            yield parameters.path(part.strip("{}"))
    yield from endpoint.query
    if endpoint.answered_by != "anyone":
        yield {"$ref": "#/components/parameters/api-version"}


def _body(endpoint: Endpoint) -> Schema | None:
    body = endpoint.body
    if body is None:
        return None
    content = {"schema": ref(body.model), "examples": body.examples}
    return {"required": body.required, "content": {"application/json": content}}


def _responses(endpoint: Endpoint) -> Schema:
    good = {
        "description": _told(endpoint),
        "headers": headers.told(_headers(endpoint)),
        "content": _content(endpoint),
    }
    failed = {str(status): failures.reference(status) for status in sorted(_failures(endpoint))}
    rest = {"default": failures.reference("default")} if endpoint.answered_by == "provider" else {}
    return {"200": good, **failed, **rest}


def _told(endpoint: Endpoint) -> str:
    return f"The answer; a stream of events where {endpoint.stream}." if endpoint.stream else "OK."


def _headers(endpoint: Endpoint) -> tuple[str, ...]:
    if endpoint.answered_by != "provider":
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


def _failures(endpoint: Endpoint) -> set[int]:
    if endpoint.answered_by == "anyone":
        return {int(HTTPStatus.INTERNAL_SERVER_ERROR)}
    found = set(KEYED)
    found |= set(FROM_PROVIDER) if endpoint.answered_by == "provider" else set()
    found |= set(WITH_BODY) if endpoint.body else set()
    found |= {404} if "{" in endpoint.path or endpoint.body else set()
    found |= {409, 422} if endpoint.id == "createResponse" else set()  # with an Idempotency-Key
    found |= {426} if endpoint.id == "listResponses" else set()  # where a WebSocket would begin
    return found
