"""Where a call goes, and the headers that let it in."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Address:
    url: str
    headers: Mapping[str, str]


def joined(url: str, *queries: str) -> str:
    query = "&".join(filter(None, queries))
    return f"{url}?{query}" if query else url


def without_api_version(query: str) -> str:
    """The caller's query without Azure's version: a target's configuration says its own."""
    return "&".join(part for part in query.split("&") if not part.startswith("api-version="))
