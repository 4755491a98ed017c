"""A vector store, the files in it, and the batches in which files were added."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from infra.local.simulator.errors import ApiError, MissingResource
from infra.local.simulator.file import File
from infra.local.simulator.items import Json, new_id
from infra.local.simulator.resource_scenarios import ResourceScenario

INDEXING_SECONDS = 0.03  # until a file can be found
SECONDS_PER_DAY = 86_400
STATUSES = ("in_progress", "completed", "cancelled", "failed")
DEFAULT_CHUNKS: Json = {
    "type": "static",
    "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400},
}
FAILURE: Json = {"code": "invalid_file", "message": "The file could not be parsed."}


@dataclass(eq=False)
class VectorStoreFile:
    """A file in a store; it has the id of the file, and attributes of its own."""

    file: File
    store_id: str
    attributes: Json | None = None
    chunking_strategy: Json | None = None
    is_cancelled: bool = False
    created_at: float = field(default_factory=time.time)

    @property
    def status(self) -> str:
        if self.is_cancelled:
            return "cancelled"
        if time.time() < self.created_at + max(INDEXING_SECONDS, self.file.scenario.pending):
            return "in_progress"
        return "failed" if self.file.scenario.is_failed else "completed"

    @property
    def usage_bytes(self) -> int:
        return self.file.content.size if self.status == "completed" else 0

    def cancel(self) -> None:
        self.is_cancelled = self.status in {"in_progress", "cancelled"}

    def describe(self) -> Json:
        """Returns the file in the format of the API."""
        status, chunks = self.status, self.chunking_strategy
        is_static = chunks is not None and chunks.get("type") == "static"
        return {
            "id": self.file.id,
            "object": "vector_store.file",
            "created_at": int(self.created_at),
            "vector_store_id": self.store_id,
            "status": status,
            "last_error": FAILURE if status == "failed" else None,
            "usage_bytes": self.usage_bytes,
            "attributes": self.attributes or {},
            "chunking_strategy": chunks if is_static else DEFAULT_CHUNKS,
        }


@dataclass(frozen=True)
class FileBatch:
    """Files that were added to a store by one request."""

    store: "VectorStore"
    file_ids: list[str]
    id: str = field(default_factory=lambda: new_id("vsfb"))
    created_at: float = field(default_factory=time.time)

    @property
    def files(self) -> list[VectorStoreFile]:
        """Those that are still in the store."""
        return [self.store.files[id] for id in self.file_ids if id in self.store.files]

    def describe(self) -> Json:
        """Returns the batch in the format of the API."""
        counts = count_files(self.files)
        return {
            "id": self.id,
            "object": "vector_store.files_batch",
            "created_at": int(self.created_at),
            "vector_store_id": self.store.id,
            "status": _batch_status(counts),
            "file_counts": counts,
        }


def _batch_status(counts: Json) -> str:
    unfinished = next((each for each in ("in_progress", "cancelled") if counts[each]), None)
    return unfinished or "completed"


def count_files(files: Iterable[VectorStoreFile]) -> Json:
    counts = Counter(file.status for file in files)
    return {**{status: counts[status] for status in STATUSES}, "total": counts.total()}


@dataclass(eq=False)
class VectorStore:
    """Its files by id, oldest first."""

    scenario: ResourceScenario
    fields: Json  # that the customer sets: name, description, metadata, expires_after
    id: str = field(default_factory=lambda: new_id("vs"))
    created_at: float = field(default_factory=time.time)
    last_active_at: float = field(default_factory=time.time)
    files: dict[str, VectorStoreFile] = field(default_factory=dict)
    batches: dict[str, FileBatch] = field(default_factory=dict)

    @property
    def expires_at(self) -> int | None:
        expires_after = self.fields.get("expires_after")
        if self.scenario.is_expired:
            return int(self.created_at)
        if not expires_after:
            return None
        return int(self.last_active_at) + int(expires_after["days"]) * SECONDS_PER_DAY

    @property
    def status(self) -> str:
        if self.expires_at is not None and time.time() >= self.expires_at:
            return "expired"
        is_pending = time.time() < self.created_at + self.scenario.pending
        is_indexing = any(file.status == "in_progress" for file in self.files.values())
        return "in_progress" if is_pending or is_indexing else "completed"

    def touch(self) -> None:
        """Marks the store as active. Raises ApiError if it has expired."""
        if self.status == "expired":
            raise ApiError(400, f"Vector store {self.id} is expired.", "vector_store_expired")
        self.last_active_at = time.time()

    def add_file(self, file: VectorStoreFile) -> VectorStoreFile:
        self.files[file.file.id] = file
        return file

    def find_file(self, id: str) -> VectorStoreFile:
        if id not in self.files:
            raise MissingResource(f"No file found with id '{id}' in vector store '{self.id}'.")
        return self.files[id]

    def find_batch(self, id: str) -> FileBatch:
        if id not in self.batches:
            message = f"No file batch found with id '{id}' in vector store '{self.id}'."
            raise MissingResource(message)
        return self.batches[id]

    def describe(self) -> Json:
        """Returns the store in the format of the API."""
        return {
            "id": self.id,
            "object": "vector_store",
            "created_at": int(self.created_at),
            "name": self.fields.get("name"),
            "description": self.fields.get("description"),
            "usage_bytes": sum(file.usage_bytes for file in self.files.values()),
            "file_counts": count_files(self.files.values()),
            "status": self.status,
            "expires_after": self.fields.get("expires_after"),
            "expires_at": self.expires_at,
            "last_active_at": int(self.last_active_at),
            "metadata": self.fields.get("metadata") or {},
        }
