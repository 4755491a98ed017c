"""/openapi.json, and /docs: a page to read it and to send requests from, with nothing of others."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import event_handler
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.errors import NotFound
from antiphon.http import Reply
from antiphon.routes.traffic import answered, method_and_path

REFERENCE = Path(__file__).parents[2] / "reference"
VIEWER = Path(event_handler.__file__).parent / "openapi" / "swagger_ui"  # comes with Powertools
PARTS = {
    "icon.svg": REFERENCE / "icon.svg",
    "page.css": REFERENCE / "page.css",
    "page.js": REFERENCE / "page.js",
    "swagger-ui.css": VIEWER / "swagger-ui.min.css",
    "swagger-ui.js": VIEWER / "swagger-ui-bundle.min.js",
}
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",  # the viewer's icons stand in its style sheet
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
)
HEADERS = {
    "content-security-policy": "; ".join(POLICY),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
FOREVER = "public, max-age=31536000, immutable"
BESIDE = b'"url": "./'  # how a server is told in the document: relative to its place


def router() -> Router:
    routes = Router()

    @routes.get("/openapi.json")
    def document() -> Response[Any]:
        return answered(_document(method_and_path(routes.current_event.raw_event)[1]))

    @routes.get("/docs")
    def page() -> Response[Any]:
        return answered(_page())

    @routes.get("/docs/")
    def elsewhere() -> Response[Any]:  # all links of the page are relative to /docs
        return answered(Reply(308, {"location": "../docs"}, b""))

    @routes.get("/docs/<name>")
    def part(name: str) -> Response[Any]:
        return answered(_part(name))

    return routes


def _document(path: str) -> Reply:
    """The reference, its servers told relative to the prefix that it was asked for under."""
    above = "../" * (path.count("/") - 1)
    body = (REFERENCE / "openapi.json").read_bytes()
    if above:
        body = body.replace(BESIDE, b'"url": "' + above.encode())
    return _told(".json", body)


def _page() -> Reply:
    body = (REFERENCE / "docs.html").read_text("utf-8")
    for name, named in _names().items():
        body = body.replace(f'"docs/{name}"', f'"docs/{named}"')
    return _told(".html", body.encode())


def _part(named: str) -> Reply:
    """A file of the page; the table of names is all there is to be had."""
    path = next((PARTS[name] for name, given in _names().items() if given == named), None)
    if path is None:
        raise NotFound("The page has no such file.")
    return _told(path.suffix, path.read_bytes(), FOREVER)


@cache
def _names() -> dict[str, str]:
    """The name that each part goes by: a new one for new content, so it can be kept forever."""
    stems = ((name, name.rpartition("."), path) for name, path in PARTS.items())
    return {name: f"{s[0]}.{_digest(path.read_bytes())}.{s[2]}" for name, s, path in stems}


def _told(suffix: str, body: bytes, cached: str = "no-cache") -> Reply:
    # Asked again, it is sent again: a 304 has no body, and a Function URL hangs on an empty one.
    told = {"content-type": TYPES[suffix], "cache-control": cached, "etag": f'"{_digest(body)}"'}
    return Reply(200, {**HEADERS, **told}, body)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
