"""/health: whether the function starts and answers; it asks nobody else.

/openapi.json, and /docs: a page to read it and to send requests from, with nothing of others.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import event_handler
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.errors import NotFound
from antiphon.http import Reply
from antiphon.http_events import method_and_path, to_response

HEALTHY = Reply(200, {"content-type": "application/json"}, b'{"status":"ok"}')


def health_router() -> Router:
    routes = Router()

    @routes.get("/health")
    def health() -> Response[Any]:
        return to_response(HEALTHY)

    return routes


REFERENCE = Path(__file__).parents[2] / "reference"
VIEWER = Path(event_handler.__file__).parent / "openapi" / "swagger_ui"  # comes with Powertools
PAGE_FILES = {
    "icon.svg": REFERENCE / "icon.svg",
    "page.css": REFERENCE / "page.css",
    "page.js": REFERENCE / "page.js",
    "swagger-ui.css": VIEWER / "swagger-ui.min.css",
    "swagger-ui.js": VIEWER / "swagger-ui-bundle.min.js",
}
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
CONTENT_SECURITY_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",  # the viewer's icons stand in its style sheet
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
SECURITY_HEADERS = {
    "content-security-policy": "; ".join(CONTENT_SECURITY_POLICY),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
IMMUTABLE = "public, max-age=31536000, immutable"
RELATIVE_SERVER = b'"url": "./'  # how a server is told in the document: relative to its place


def router() -> Router:
    routes = Router()

    @routes.get("/openapi.json")
    def document() -> Response[Any]:
        return to_response(_document(method_and_path(routes.current_event.raw_event)[1]))

    @routes.get("/docs")
    def page() -> Response[Any]:
        return to_response(_page())

    @routes.get("/docs/")
    def elsewhere() -> Response[Any]:  # all links of the page are relative to /docs
        return to_response(Reply(308, {"location": "../docs"}, b""))

    @routes.get("/docs/<name>")
    def part(name: str) -> Response[Any]:
        return to_response(_page_file(name))

    return routes


def _document(path: str) -> Reply:
    """The reference, its servers told relative to the prefix that it was asked for under."""
    above = "../" * (path.count("/") - 1)
    body = (REFERENCE / "openapi.json").read_bytes()
    if above:
        body = body.replace(RELATIVE_SERVER, b'"url": "' + above.encode())
    return _file_reply(".json", body)


def _page() -> Reply:
    body = (REFERENCE / "docs.html").read_text("utf-8")
    for name, named in _hashed_names().items():
        body = body.replace(f'"docs/{name}"', f'"docs/{named}"')
    return _file_reply(".html", body.encode())


def _page_file(named: str) -> Reply:
    """A file of the page; the table of names is all there is to be had."""
    path = next(
        (PAGE_FILES[name] for name, given in _hashed_names().items() if given == named), None
    )
    if path is None:
        raise NotFound("The page has no such file.")
    return _file_reply(path.suffix, path.read_bytes(), IMMUTABLE)


@cache
def _hashed_names() -> dict[str, str]:
    """The name that each part goes by: a new one for new content, so it can be kept forever."""
    stems = ((name, name.rpartition("."), path) for name, path in PAGE_FILES.items())
    return {name: f"{s[0]}.{_digest(path.read_bytes())}.{s[2]}" for name, s, path in stems}


def _file_reply(suffix: str, body: bytes, cached: str = "no-cache") -> Reply:
    # Asked again, it is sent again: a 304 has no body, and a Function URL hangs on an empty one.
    told = {
        "content-type": CONTENT_TYPES[suffix],
        "cache-control": cached,
        "etag": f'"{_digest(body)}"',
    }
    return Reply(200, {**SECURITY_HEADERS, **told}, body)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
