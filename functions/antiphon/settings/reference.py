"""The files of the reference, which the bundle compresses and the api function serves."""

import gzip
from pathlib import Path

FOLDER = "reference"  # in the asset, and in functions/
SWAGGER_UI = "aws_lambda_powertools/event_handler/openapi/swagger_ui"  # a part of Powertools
DOCUMENT = "openapi.json"
# The files of the page, by the names in their URLs.
PAGE_FILES = {
    "icon.svg": f"{FOLDER}/icon.svg",
    "page.css": f"{FOLDER}/page.css",
    "page.js": f"{FOLDER}/page.js",
    "swagger-ui.css": f"{SWAGGER_UI}/swagger-ui.min.css",
    "swagger-ui.js": f"{SWAGGER_UI}/swagger-ui-bundle.min.js",
}
DEPTHS = range(3)  # folders in the paths at which the document is served: none, /v1, /openai/v1
RELATIVE_SERVER = b'"url": "./'  # how the document names a server: relative to its own URL


def render(path: Path, depth: int = 0) -> bytes:
    """Read a file; in the document, make the URLs of its servers relative to so many folders."""
    content = path.read_bytes()
    return content.replace(RELATIVE_SERVER, b'"url": "' + b"../" * depth) if depth else content


def compressed_path(path: Path, depth: int = 0) -> Path:
    """Return where the bundle puts the compressed form of what `render` returns."""
    return path.with_name(f"{path.name}.{depth}.gz")


def compress(content: bytes) -> bytes:
    """Compress for a response; the same content gives the same bytes at any time."""
    return gzip.compress(content, compresslevel=9, mtime=0)


def write_compressed(root: Path) -> None:
    """Write the compressed forms of all files below the root of an asset."""
    for depth in DEPTHS:
        document = root / FOLDER / DOCUMENT
        compressed_path(document, depth).write_bytes(compress(render(document, depth)))
    for name in PAGE_FILES.values():
        path = root / name
        compressed_path(path).write_bytes(compress(render(path)))
