"""The beginning of an answer: status and headers as JSON, set apart by eight NULs."""

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from multidict import CIMultiDict

from infra.local.runtime_api.invocation import Failed

END = bytes(8)
LONGEST = 16 * 1024
THE_FRONTS_OWN = {"connection", "content-length", "keep-alive", "transfer-encoding"}
STATUSES = range(200, 600)


@dataclass(frozen=True)
class Prelude:
    status: int
    headers: CIMultiDict[str]


async def read(pieces: AsyncIterator[bytes]) -> tuple[Prelude, bytes]:
    """Give the prelude, and what came with it of the body; raise Failed if there is none."""
    begun = b""
    async for piece in pieces:
        begun += piece
        start, end, rest = begun.partition(END)
        if end:
            return _parse(start), rest
        if len(begun) > LONGEST:
            break
    raise Failed("The answer does not begin with a prelude of at most 16 KB.")


def _parse(text: bytes) -> Prelude:
    try:
        document = json.loads(text)
        prelude = Prelude(document["statusCode"], CIMultiDict(_headers(document)))
    except (ValueError, LookupError, TypeError, AttributeError) as exc:
        raise Failed(f"The prelude is not what AWS takes: {text[:200]!r}") from exc
    if prelude.status not in STATUSES or any(map(_breaks_out, prelude.headers.items())):
        raise Failed(f"The prelude is not what AWS takes: {text[:200]!r}")
    return prelude


def _headers(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    multiple = document.get("multiValueHeaders") or {}
    pairs = [(name, value) for name, values in multiple.items() for value in values]
    pairs += [pair for pair in (document.get("headers") or {}).items() if pair not in pairs]
    pairs += [("Set-Cookie", cookie) for cookie in document.get("cookies") or ()]
    return ((name, str(value)) for name, value in pairs if name.lower() not in THE_FRONTS_OWN)


def _breaks_out(header: tuple[str, str]) -> bool:
    return any(character in "".join(header) for character in "\r\n\0")
