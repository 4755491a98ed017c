"""Finds words in the files of vector stores, in place of a search by meaning."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.local.simulator.items import Json
from infra.local.simulator.vector_store import VectorStoreFile

WORD = re.compile(r"\w{3,}")  # shorter words are in every text
PARAGRAPH = re.compile(r"\n\s*\n")
MAX_CHUNK = 2_000  # characters

type Filter = Mapping[str, Any]


@dataclass(frozen=True)
class SearchResult:
    """The paragraph of a file that has most of the words, and the share that it has."""

    stored: VectorStoreFile
    score: float
    text: str

    @property
    def fields(self) -> Json:
        """What all results have in common, wherever they appear."""
        return {
            "file_id": self.stored.file.id,
            "filename": self.stored.file.filename,
            "score": self.score,
            "attributes": self.stored.attributes or {},
        }


def search_files(
    files: Iterable[VectorStoreFile], query: str, condition: Filter | None = None
) -> list[SearchResult]:
    """Returns the files that have any word of the query, best first."""
    words = set(WORD.findall(query.lower()))
    found = [
        _search_file(stored, words)
        for stored in files
        if stored.status == "completed" and is_match(condition, stored.attributes or {})
    ]
    return sorted((each for each in found if each.score), key=lambda each: -each.score)


def _search_file(stored: VectorStoreFile, words: set[str]) -> SearchResult:
    chunks = [chunk.strip()[:MAX_CHUNK] for chunk in PARAGRAPH.split(stored.file.content.text)]
    best = max(chunks, key=lambda chunk: _count_words(chunk, words))
    return SearchResult(stored, round(_count_words(best, words) / max(len(words), 1), 4), best)


def _count_words(text: str, words: set[str]) -> int:
    return len(words & set(WORD.findall(text.lower())))


def is_match(condition: Filter | None, attributes: Json) -> bool:
    """Whether attributes fulfil a filter: a comparison, or several with `and` or `or`."""
    if not condition:
        return True
    kind = condition["type"]
    if kind in COMBINATIONS:
        return COMBINATIONS[kind](is_match(each, attributes) for each in condition["filters"])
    value = attributes.get(condition["key"])
    return value is not None and COMPARISONS[kind](value, condition["value"])


COMBINATIONS: Mapping[str, Callable[[Iterable[bool]], bool]] = {"and": all, "or": any}
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, other: bool(value == other),
    "ne": lambda value, other: bool(value != other),
    "gt": lambda value, other: bool(value > other),
    "gte": lambda value, other: bool(value >= other),
    "lt": lambda value, other: bool(value < other),
    "lte": lambda value, other: bool(value <= other),
    "in": lambda value, others: value in others,
    "nin": lambda value, others: value not in others,
}


def describe_page(results: Sequence[SearchResult], queries: Sequence[str]) -> Json:
    """Returns the results in the format of the search endpoint."""
    return {
        "object": "vector_store.search_results.page",
        "search_query": list(queries),
        "data": [
            {**result.fields, "content": [{"type": "text", "text": result.text}]}
            for result in results
        ],
        "has_more": False,
        "next_page": None,
    }
