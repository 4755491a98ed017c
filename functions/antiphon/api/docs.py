"""Serves what needs no key: /health, /openapi.json, and the reference page at /docs.

The page loads nothing from other origins.
"""

import hashlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from aws_lambda_powertools import event_handler
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.errors import NotFound
from antiphon.http import Reply
from antiphon.http_events import method_and_path, read_headers, to_response
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
SITE_PACKAGES = Path(event_handler.__file__).parents[2]  # the same folder in Lambda
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
PATHS = ("/openapi.json", "/docs", "/docs/", "/docs/<name>")
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
        accepted = read_headers(router.current_event.raw_event).get("accept-encoding", "")
        is_compressed = compresses and accepts_gzip(accepted)
        return to_response(_as_gzip(plain, compressed()) if is_compressed else plain)

    @router.get("/openapi.json")
    def document() -> Response[Any]:
        _, path = method_and_path(router.current_event.raw_event)
        file, depth = TASK_ROOT / FOLDER / DOCUMENT, path.count("/") - 1
        plain = _file_reply(".json", read(file, depth))
        return serve(plain, partial(_compressed, file, depth))

    @router.get("/docs")
    def page() -> Response[Any]:
        content = _page()
        return serve(_file_reply(".html", content), partial(compress, content))

    @router.get("/docs/")
    def redirect() -> Response[Any]:  # the links in the page are relative to /docs
        return to_response(Reply(308, {"location": "../docs"}, b""))

    @router.get("/docs/<name>")
    def page_file(name: str) -> Response[Any]:
        file = _page_file(name)
        plain = _file_reply(file.suffix, read(file), IMMUTABLE)
        return serve(plain, partial(_compressed, file))

    return router


def no_docs_router() -> Router:
    """Build what says that the reference is not served."""
    router = Router()

    def refuse(**_: str) -> Response[Any]:
        raise NotFound("This gateway does not serve its reference: antiphon:docs is false.")

    for path in PATHS:
        router.get(path)(refuse)
    return router


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
    body = (TASK_ROOT / FOLDER / "docs.html").read_text("utf-8")
    for name, hashed_name in _hashed_names().items():
        body = body.replace(f'"docs/{name}"', f'"docs/{hashed_name}"')
    return body.encode()


def _page_file(hashed_name: str) -> Path:
    """Return a file of the page; raise NotFound for a name that is not in the table."""
    for name, other in _hashed_names().items():
        if other == hashed_name:
            return _path_of(name)
    raise NotFound("The page has no such file.")


@cache
def _hashed_names() -> dict[str, str]:
    """Add each file's digest to its name: a changed file gets a new URL, so caches never expire."""
    names = {}
    for name in PAGE_FILES:
        stem, _, suffix = name.rpartition(".")
        names[name] = f"{stem}.{_digest(read(_path_of(name)))}.{suffix}"
    return names


def _path_of(name: str) -> Path:
    path = PAGE_FILES[name]
    return (TASK_ROOT if path.startswith(FOLDER) else SITE_PACKAGES) / path


def _file_reply(suffix: str, body: bytes, cache_control: str = REVALIDATE) -> Reply:
    # If-None-Match is ignored: a 304 has no body, and a Function URL hangs on an empty one.
    headers = {
        "content-type": CONTENT_TYPES[suffix],
        "cache-control": cache_control,
        "etag": f'"{_digest(body)}"',
        "vary": "accept-encoding",
    }
    return Reply(200, {**SECURITY_HEADERS, **headers}, body)


def _as_gzip(plain: Reply, compressed: bytes) -> Reply:
    etag = f'{plain.headers["etag"][:-1]}-gzip"'
    headers = {**plain.headers, "content-encoding": "gzip", "etag": etag}
    return Reply(plain.status, headers, compressed)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
