"""Plays the tool `image_generation`: one PNG of a single color, which depends on the question."""

import struct
import zlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from infra.local.simulator.items import Json, new_id
from infra.local.simulator.request_body import CreateRequest
from infra.local.simulator.tool_use import ToolUse

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDE = 4  # pixels, whatever size the request has
RGB = 2  # PNG's color type
MAX_PARTIAL_IMAGES = 3
# What the item repeats of its tool, and in place of `auto`.
DEFAULTS: Mapping[str, str] = {"size": "1024x1024", "quality": "low", "background": "opaque"}


def generate_image(request: CreateRequest, tool: Json) -> ToolUse:
    chosen = {name: _chosen(tool.get(name), value) for name, value in DEFAULTS.items()}
    call: Json = {
        "id": new_id("ig"),
        "type": "image_generation_call",
        "status": "completed",
        "action": "generate",
        **chosen,
        "output_format": "png",
        "revised_prompt": request.question,
        "result": encode_png(request.question),
    }
    return ToolUse([call], " There is an image of it.")


def _chosen(value: Any, default: str) -> Any:
    return default if value in {None, "auto"} else value


def encode_png(text: str) -> str:
    """Returns a PNG in base64 that is the same for the same text."""
    color = zlib.crc32(text.encode(errors="replace")).to_bytes(4)[:3]
    rows = (b"\0" + color * SIDE) * SIDE  # each row begins with its filter, 0 for none
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, RGB, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b64encode(
        PNG_SIGNATURE + b"".join(map(_encode_chunk, *zip(*chunks, strict=True)))
    ).decode()


def _encode_chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def count_partial_images(tools: list[Json]) -> int:
    """Returns how many partial images a stream sends before the image."""
    found = [tool for tool in tools if tool.get("type") == "image_generation"]
    return min(int(found[0].get("partial_images") or 0), MAX_PARTIAL_IMAGES) if found else 0
