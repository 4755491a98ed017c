"""Serves what needs no key: /health, /openapi.json, and the reference page at /docs.

The page loads nothing from other origins.
"""

import hashlib
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.errors import NotFound
from antiphon.http import Reply
from antiphon.http_events import (
    LambdaEvent,
    current_event,
    method_and_path,
    read_headers,
    to_response,
)
from antiphon.settings.reference import (
    DOCUMENT,
    FOLDER,
    PAGE_FILES,
    compress,
    read,
    read_compressed,
)

HEALTHY = Reply(200, {"content-type": "application/json"}, b'{"status":"ok"}')
TASK_ROOT = Path(__file__).parents[2]
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
    "img-src 'self'",
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
PATHS = ("/openapi.json", "/docs", "/docs/", "/docs/<version>/<name>")
_compressed = cache(read_compressed)  # the document below a prefix is compressed here


def health_router() -> Router:
    """Build /health: 200 if the function starts and answers; it calls no other service."""
    router = Router()

    @router.get("/health")
    def health() -> Response[Any]:
        return to_response(HEALTHY)

    return router


def docs_router(*, compresses: bool = True) -> Router:
    """Build /openapi.json, and /docs with the files of the page.

    `compresses`: whether clients that accept it get them compressed.
    """
    router = Router()

    def serve(plain: Reply, compressed: Callable[[], bytes]) -> Response[Any]:
        event = current_event(router)
        return serve_file(event, plain, compressed) if compresses else to_response(plain)

    @router.get("/openapi.json")
    def document() -> Response[Any]:
        _, path = method_and_path(current_event(router))
        file, depth = TASK_ROOT / FOLDER / DOCUMENT, path.count("/") - 1
        plain = file_reply(".json", read(file, depth))
        return serve(plain, partial(_compressed, file, depth))

    @router.get("/docs")
    def page() -> Response[Any]:
        content = _page()
        return serve(file_reply(".html", content), partial(compress, content))

    @router.get("/docs/")
    def redirect() -> Response[Any]:  # the links in the page are relative to /docs
        return to_response(Reply(308, {"location": "../docs"}, b""))

    @router.get("/docs/<version>/<name>")
    def page_file(version: str, name: str) -> Response[Any]:
        file = _page_file(version, name)
        plain = file_reply(file.suffix, read(file), IMMUTABLE)
        return serve(plain, partial(_compressed, file))

    return router


def no_docs_router() -> Router:
    """Build what says that the reference is not served."""
    return refusing_router(PATHS, "reference")


def refusing_router(paths: Iterable[str], name: str) -> Router:
    """Build what says at each path that a page of this name is not served."""
    router = Router()

    def refuse(**_: str) -> Response[Any]:
        raise NotFound(f"This gateway does not serve its {name}: antiphon:docs is false.")

    for path in paths:
        router.get(path)(refuse)
    return router


def serve_file(event: LambdaEvent, plain: Reply, compressed: Callable[[], bytes]) -> Response[Any]:
    """Return a file in the form that the client accepts."""
    accepted = read_headers(event).get("accept-encoding", "")
    return to_response(as_gzip(plain, compressed()) if accepts_gzip(accepted) else plain)


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether a client accepts gzip (RFC 9110, 12.5.3): by name, or by `*` without a name."""
    qualities = {}
    for item in accept_encoding.lower().split(","):
        coding, _, weight = item.partition(";")
        qualities[coding.strip()] = _quality(weight)
    return qualities.get("gzip", qualities.get("*", 0)) > 0


def _quality(weight: str) -> float:
    if not weight:
        return 1
    try:
        return float(weight.strip().removeprefix("q="))
    except ValueError:
        return 0


def _page() -> bytes:
    content = (TASK_ROOT / FOLDER / "docs.html").read_bytes()
    return content.replace(b'"docs/', f'"docs/{_version()}/'.encode())


def _page_file(version: str, name: str) -> Path:
    """Return a file of the page; raise NotFound for a name that is not in the table."""
    if version != _version() or name not in PAGE_FILES:
        raise NotFound("The page has no such file. Load the page again.")
    return TASK_ROOT / PAGE_FILES[name]


@cache
def _version() -> str:
    return digest_of_files(PAGE_FILES.values())


def digest_of_files(paths: Iterable[str]) -> str:
    """Return one digest: changed files get new URLs, also where one imports another."""
    contents = (read(TASK_ROOT / path) for path in paths)
    return digest(b"".join(digest(content).encode() for content in contents))


def file_reply(suffix: str, body: bytes, cache_control: str = REVALIDATE) -> Reply:
    """Return a file with the headers that protect a page."""
    # If-None-Match is ignored: a 304 has no body, and a Function URL hangs on an empty one.
    headers = {
        "content-type": CONTENT_TYPES[suffix],
        "cache-control": cache_control,
        "etag": f'"{digest(body)}"',
        "vary": "accept-encoding",
    }
    return Reply(200, {**SECURITY_HEADERS, **headers}, body)


def as_gzip(plain: Reply, compressed: bytes) -> Reply:
    etag = f'{plain.headers["etag"][:-1]}-gzip"'
    headers = {**plain.headers, "content-encoding": "gzip", "etag": etag}
    return Reply(plain.status, headers, compressed)


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
