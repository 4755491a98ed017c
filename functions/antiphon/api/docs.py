"""Serves what needs no key: /health, /openapi.json, and the reference page at /docs.

The page loads nothing from other origins.
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
REFERENCE = Path(__file__).parents[2] / "reference"
SWAGGER_UI = Path(event_handler.__file__).parent / "openapi" / "swagger_ui"  # part of Powertools
PAGE_FILES = {
    "icon.svg": REFERENCE / "icon.svg",
    "page.css": REFERENCE / "page.css",
    "page.js": REFERENCE / "page.js",
    "swagger-ui.css": SWAGGER_UI / "swagger-ui.min.css",
    "swagger-ui.js": SWAGGER_UI / "swagger-ui-bundle.min.js",
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
    "img-src 'self' data:",  # Swagger UI's style sheet contains its icons
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
REVALIDATE = "no-cache"
IMMUTABLE = "public, max-age=31536000, immutable"
RELATIVE_SERVER = b'"url": "./'  # how openapi.json names a server: relative to its own URL


def health_router() -> Router:
    """Build /health: 200 if the function starts and answers; it calls no other service."""
    router = Router()

    @router.get("/health")
    def health() -> Response[Any]:
        return to_response(HEALTHY)

    return router


def docs_router() -> Router:
    """Build /openapi.json, and /docs with the files of the page."""
    router = Router()

    @router.get("/openapi.json")
    def document() -> Response[Any]:
        _, path = method_and_path(router.current_event.raw_event)
        return to_response(_document(path))

    @router.get("/docs")
    def page() -> Response[Any]:
        return to_response(_page())

    @router.get("/docs/")
    def redirect() -> Response[Any]:  # the links in the page are relative to /docs
        return to_response(Reply(308, {"location": "../docs"}, b""))

    @router.get("/docs/<name>")
    def page_file(name: str) -> Response[Any]:
        return to_response(_page_file(name))

    return router


def _document(path: str) -> Reply:
    """Return openapi.json with the URLs of its servers relative to the request's path."""
    parents = "../" * (path.count("/") - 1)
    body = (REFERENCE / "openapi.json").read_bytes()
    if parents:
        body = body.replace(RELATIVE_SERVER, b'"url": "' + parents.encode())
    return _file_reply(".json", body)


def _page() -> Reply:
    body = (REFERENCE / "docs.html").read_text("utf-8")
    for name, hashed_name in _hashed_names().items():
        body = body.replace(f'"docs/{name}"', f'"docs/{hashed_name}"')
    return _file_reply(".html", body.encode())


def _page_file(hashed_name: str) -> Reply:
    """Return a file of the page; raise NotFound for a name that is not in the table."""
    for name, path in PAGE_FILES.items():
        if _hashed_names()[name] == hashed_name:
            return _file_reply(path.suffix, path.read_bytes(), IMMUTABLE)
    raise NotFound("The page has no such file.")


@cache
def _hashed_names() -> dict[str, str]:
    """Add each file's digest to its name: a changed file gets a new URL, so caches never expire."""
    names = {}
    for name, path in PAGE_FILES.items():
        stem, _, suffix = name.rpartition(".")
        names[name] = f"{stem}.{_digest(path.read_bytes())}.{suffix}"
    return names


def _file_reply(suffix: str, body: bytes, cache_control: str = REVALIDATE) -> Reply:
    # If-None-Match is ignored: a 304 has no body, and a Function URL hangs on an empty one.
    headers = {
        "content-type": CONTENT_TYPES[suffix],
        "cache-control": cache_control,
        "etag": f'"{_digest(body)}"',
    }
    return Reply(200, {**SECURITY_HEADERS, **headers}, body)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
