"""Where a call goes, and the headers that let it in.

OpenAI, and whoever speaks its dialect. https://platform.openai.com/docs/api-reference.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Address:
    url: str
    headers: Mapping[str, str]


def join_query(url: str, *queries: str) -> str:
    query = "&".join(filter(None, queries))
    return f"{url}?{query}" if query else url


def without_api_version(query: str) -> str:
    """The caller's query without Azure's version: a target's configuration says its own."""
    return "&".join(part for part in query.split("&") if not part.startswith("api-version="))


@dataclass(frozen=True)
class OpenAI:
    base_url: str
    lags: ClassVar[bool] = False

    def address(self, path: str, query: str, credential: str) -> Address:
        url = join_query(f"{self.base_url}{path}", without_api_version(query))
        return Address(url, {"authorization": f"Bearer {credential}"})

    def complete(self, status: int, body: bytes) -> bytes:  # noqa: ARG002  it is the model
        return body
