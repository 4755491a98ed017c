"""Serves the console at /console, a static page over the public API, and the index at /.

Both need no key: the page has none until its reader enters one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.api.docs import (
    IMMUTABLE,
    SECURITY_HEADERS,
    TASK_ROOT,
    digest_of_files,
    file_reply,
    refusing_router,
    serve_file,
)
from antiphon.errors import NotFound
from antiphon.http import Reply
from antiphon.http_events import (
    LambdaEvent,
    current_event,
    method_and_path,
    read_headers,
    to_response,
)
from antiphon.schema.unserved import endpoint_not_served
from antiphon.settings.reference import (
    CONSOLE_FILES,
    CONSOLE_FOLDER,
    compress,
    read,
    read_compressed,
)

CONTENT_SECURITY_POLICY = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",  # no text becomes markup or a script
    "trusted-types 'none'",
)
HEADERS = {**SECURITY_HEADERS, "content-security-policy": "; ".join(CONTENT_SECURITY_POLICY)}
API_PREFIX = b'data-api="v1/"'  # where the API is, relative to the page
BESIDE_THE_API = b'data-api="./"'  # below one of the prefixes
PATHS = ("/console", "/console/", "/console/<version>/<name>")


@dataclass(frozen=True, eq=False, repr=False)
class Console:
    """The pages and their files; `compresses`: for clients that accept it."""

    router: Router
    compresses: bool

    def index(self) -> Response[Any]:
        accepted = read_headers(self._event).get("accept", "")
        if self._path.strip("/") or "text/html" not in accepted:  # a client without its prefix
            raise endpoint_not_served("GET", self._path)
        return self._serve_page("index.html")

    def page(self) -> Response[Any]:
        return self._serve_page("console.html")

    def redirect(self) -> Response[Any]:
        """Lead to the page without a slash at its end, because its links are relative to that."""
        return to_response(Reply(308, {"location": "../console"}, b""))

    def file(self, version: str, name: str) -> Response[Any]:
        if name not in CONSOLE_FILES or version != _version():
            raise NotFound("The console has no such file. Load its page again.")
        file = TASK_ROOT / CONSOLE_FILES[name]
        plain = file_reply(file.suffix, read(file), IMMUTABLE)
        return self._serve(plain, partial(_compressed, file))

    def _serve_page(self, name: str) -> Response[Any]:
        content = _page(name, self._path)
        return self._serve(file_reply(".html", content), partial(compress, content))

    def _serve(self, plain: Reply, compressed: Callable[[], bytes]) -> Response[Any]:
        reply = plain.with_headers(HEADERS)
        return serve_file(self._event, reply, compressed) if self.compresses else to_response(reply)

    @property
    def _event(self) -> LambdaEvent:
        return current_event(self.router)

    @property
    def _path(self) -> str:
        _, path = method_and_path(self._event)
        return path


def console_router(*, compresses: bool = True) -> Router:
    """Build /, and /console with its files."""
    router = Router()
    console = Console(router, compresses)
    router.get("/")(console.index)
    router.get("/console")(console.page)
    router.get("/console/")(console.redirect)
    router.get("/console/<version>/<name>")(console.file)
    return router


def no_console_router() -> Router:
    """Build what says that the console is not served."""
    return refusing_router(PATHS, "console")


def _page(name: str, path: str) -> bytes:
    """Return a page that finds the console's files and the API from its own path."""
    content = (TASK_ROOT / CONSOLE_FOLDER / name).read_bytes()
    for file in CONSOLE_FILES:
        link, versioned = f'"console/{file}"', f'"console/{_version()}/{file}"'
        content = content.replace(link.encode(), versioned.encode())
    is_below_a_prefix = path.count("/") > 1
    return content.replace(API_PREFIX, BESIDE_THE_API) if is_below_a_prefix else content


@cache
def _version() -> str:
    return digest_of_files(CONSOLE_FILES.values())


@cache
def _compressed(file: Path) -> bytes:
    return read_compressed(file)
