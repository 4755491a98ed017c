"""OpenAI, and every provider that speaks its dialect.

https://platform.openai.com/docs/api-reference
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import unquote_plus

from antiphon.settings.targets import EVERYTHING, Capability

type Address = tuple[str, Mapping[str, str]]  # URL, and the headers that authorize the request


@dataclass(frozen=True)
class OpenAI:
    base_url: str
    is_eventually_consistent: ClassVar[bool] = False
    capabilities: ClassVar[frozenset[Capability]] = EVERYTHING

    def address(self, path: str, query: str, credential: str) -> Address:
        url = join_query(f"{self.base_url}{path}", without_api_version(query))
        return url, {"authorization": f"Bearer {credential}"}

    def complete_error(self, status: int, body: bytes, headers: Mapping[str, str]) -> bytes:  # noqa: ARG002
        return body  # already complete


def join_query(url: str, *queries: str) -> str:
    query = "&".join(filter(None, queries))
    return f"{url}?{query}" if query else url


def without_api_version(query: str) -> str:
    """Return the caller's query without Azure's version: the target's configuration has its own."""
    return "&".join(part for part in query.split("&") if not _is_api_version(part))


def _is_api_version(part: str) -> bool:
    """Azure decodes names, and compares them without case."""
    name = unquote_plus(part.partition("=")[0]).partition("[")[0]
    return name.strip().casefold() == "api-version"
