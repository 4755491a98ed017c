"""The files of the reference and the console: the bundle compresses, a function serves them."""

import gzip
import json
from pathlib import Path

FOLDER = "reference"  # in the asset, and in functions/
DOCUMENT = "openapi.json"
PAGE_SCRIPTS = (
    "answer",
    "body",
    "element",
    "form",
    "markdown",
    "operation",
    "page",
    "request",
    "schema",
    "stream",
)
# The files of the page, by the names in their URLs.
PAGE_FILES = {
    "icon.svg": f"{FOLDER}/page/icon.svg",
    "page.css": f"{FOLDER}/page/page.css",
    **{f"{name}.js": f"{FOLDER}/page/{name}.js" for name in PAGE_SCRIPTS},
}
CONSOLE_FOLDER = "console"
CONSOLE_SCRIPTS = (
    "api",
    "chart",
    "conversations",
    "dom",
    "files",
    "format",
    "limits",
    "lineage",
    "main",
    "playground",
    "response",
    "responses",
    "routes",
    "states",
    "tree",
    "turn",
    "usage",
)
CONSOLE_FILES = {
    "icon.svg": PAGE_FILES["icon.svg"],
    "page.css": f"{CONSOLE_FOLDER}/page.css",
    "parts.css": f"{CONSOLE_FOLDER}/parts.css",
    **{f"{name}.js": f"{CONSOLE_FOLDER}/{name}.js" for name in CONSOLE_SCRIPTS},
}
RELATIVE_SERVER = b'"url": "./'  # how the document names a server: relative to its own URL


def read(path: Path, depth: int = 0) -> bytes:
    """Read a file, in an asset from its compressed form.

    `depth`: the folders in the path at which the document is served (none, /v1, /openai/v1). The
    URLs of its servers are made relative to so many folders.
    """
    compressed = compressed_path(path)
    content = gzip.decompress(compressed.read_bytes()) if compressed.exists() else path.read_bytes()
    return content.replace(RELATIVE_SERVER, b'"url": "' + b"../" * depth) if depth else content


def read_compressed(path: Path, depth: int = 0) -> bytes:
    """Return what `read` returns, compressed: as the bundle has it, or compressed now."""
    compressed = compressed_path(path)
    if compressed.exists() and not depth:
        return compressed.read_bytes()
    return compress(read(path, depth))


def compressed_path(path: Path) -> Path:
    """Return where the bundle puts the compressed form of a file."""
    return path.with_name(f"{path.name}.gz")


def compress(content: bytes) -> bytes:
    """Compress for a response; the same content gives the same bytes at any time."""
    return gzip.compress(content, compresslevel=9, mtime=0)


def compact(document: bytes) -> bytes:
    """Return a JSON document in one line; names are separated as RELATIVE_SERVER is."""
    value = json.loads(document)
    return json.dumps(value, ensure_ascii=False, separators=(",", ": ")).encode()


def compress_files(root: Path) -> None:
    """Replace the document and the files of both pages, below the root of an asset."""
    document = root / FOLDER / DOCUMENT
    document.write_bytes(compact(document.read_bytes()))
    files = {*PAGE_FILES.values(), *CONSOLE_FILES.values()}
    for path in (document, *(root / name for name in files)):
        compressed_path(path).write_bytes(compress(path.read_bytes()))
        path.unlink()
