"""The start of a streamed response: status and headers as JSON, then eight NUL bytes.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html#runtimes-custom-response-streaming
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from multidict import CIMultiDict

from infra.local.runtime_api.invocation import Failed

DELIMITER = bytes(8)
MAX_PRELUDE_BYTES = 16 * 1024
FRAMING_HEADERS = {"connection", "content-length", "keep-alive", "transfer-encoding"}
STATUSES = range(200, 600)
FORBIDDEN = {"\r", "\n", "\0"}  # in names and values of headers


@dataclass(frozen=True)
class Prelude:
    status: int
    headers: CIMultiDict[str]


async def read_prelude(chunks: AsyncIterator[bytes]) -> tuple[Prelude, bytes]:
    """Return the prelude and the bytes after it in the same chunk; raise Failed without one."""
    data = b""
    async for chunk in chunks:
        data += chunk
        prelude, delimiter, rest = data.partition(DELIMITER)
        if delimiter:
            return _parse_prelude(prelude), rest
        if len(data) > MAX_PRELUDE_BYTES:
            break
    raise Failed("The response does not start with a prelude of at most 16 KB.")


def _parse_prelude(text: bytes) -> Prelude:
    try:
        document = json.loads(text)
        prelude = Prelude(document["statusCode"], CIMultiDict(_header_pairs(document)))
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise Failed(f"AWS does not accept this prelude: {type(exc).__name__}.") from exc
    if prelude.status not in STATUSES:
        raise Failed(f"AWS does not accept a prelude with the status {prelude.status!r}.")
    forbidden = [name for name, value in prelude.headers.items() if FORBIDDEN & {*name, *value}]
    if forbidden:  # without its value, which may be a credential
        raise Failed(f"AWS does not accept a prelude with this header: {forbidden[0]!r}.")
    return prelude


def _header_pairs(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    multiple = document.get("multiValueHeaders") or {}
    pairs = [(name, value) for name, values in multiple.items() for value in values]
    pairs += [pair for pair in (document.get("headers") or {}).items() if pair not in pairs]
    pairs += [("Set-Cookie", cookie) for cookie in document.get("cookies") or ()]
    return ((name, str(value)) for name, value in pairs if name.lower() not in FRAMING_HEADERS)
