"""Records files, vector stores, containers and other resources: who owns them, and at which target.

An id is owned before the bytes that name it are passed on, as those of responses are.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from antiphon.errors import GatewayError, Unavailable, UpstreamFailed
from antiphon.http import Reply
from antiphon.observability import logger
from antiphon.recording.reading import (
    MAX_NUMBER,
    check_id,
    name_or_none,
    outcome_attributes,
    readable_id,
)
from antiphon.recording.recorder import COMPACTION_DAYS, NO_ID, expires_after, object_link
from antiphon.recording.tracker import ResourceOwner, Stores
from antiphon.store.containers import details_after_use
from antiphon.store.links import ID_PATTERN, NEVER, Link, ResourceKind
from antiphon.store.storage import reservation_id
from antiphon.upstream.outcome import NOT_FOUND, SUCCESS, UpstreamResponse

DELETED_SECONDS = 86_400
BATCH_ENDS = {"completed", "failed", "expired", "cancelled"}  # statuses; Azure writes `Failed`
STORE_ENDS = {"completed", "expired"}  # statuses of a vector store
INDEXING = "in_progress"  # its status until the files that it was made with are indexed
UPLOAD_DAYS, BATCH_DAYS = 1, 30  # a provider keeps an upload for an hour
# What the gateway itself returns of an object, or finds it by; none of it is content.
FILE_DETAILS = [
    "id",
    "object",
    "bytes",
    "created_at",
    "expires_at",
    "filename",
    "purpose",
    "status",
]
DETAILS: Mapping[ResourceKind, Sequence[str]] = {
    "file": FILE_DETAILS,
    "upload": FILE_DETAILS,
    "container": ("name",),
}

type Document = Mapping[str, Any]
type PutNew = Callable[[UpstreamResponse, Link], object]  # writes it, or discards what was made
type OnNew = Callable[[Link], None]  # runs before a link is written


@dataclass(frozen=True, eq=False, repr=False)
class ResourceRecorder:
    stores: Stores
    put_new: PutNew

    def record_new(
        self, kind: ResourceKind, response: UpstreamResponse, owner: ResourceOwner, on_new: OnNew
    ) -> Reply:
        """Record a new resource; raise LinkNotWritten where that fails."""
        if response.status in SUCCESS:
            link = self._link(kind, response.members, owner, response.fault)
            on_new(link)
            self.put_new(response, link)
        return response.reply()

    def record_completed(
        self, response: UpstreamResponse, owner: ResourceOwner, upload: Link
    ) -> Reply:
        """Record the file that a completed upload has become; it counts for the upload's key."""
        if response.status in SUCCESS:
            file = response.members.get("file")
            if isinstance(file, dict):
                lease = {"id": reservation_id(upload.request_id)}
                link = self._link("file", file, owner, response.fault)
                self.put_new(response, replace(link, key_id=upload.key_id, lease=lease))
        return response.reply()

    def record_use(self, response: UpstreamResponse, link: Link) -> Reply:
        """Record what a call shows: that a container is in use, or a vector store complete.

        Only an estimate and an event depend on it, so a failure here is only logged.
        """
        changes = _seen_changes(response, link) if response.status in SUCCESS else {}
        if changes:
            try:
                self.stores.links.change(link, **changes)
            except Unavailable:
                logger.exception("use not recorded", extra={"link": link.id})
        return response.reply()

    def record_batch(self, response: UpstreamResponse, link: Link) -> str:
        """Record what a batch has become: the owner of its results, and at its end its usage.

        Return its status. Repeated, it records the same. Raise Unavailable where that fails.
        """
        if response.status not in SUCCESS or link.status in BATCH_ENDS:
            return link.status
        batch = response.members
        check_id(batch, link)
        for name in ("output_file_id", "error_file_id"):
            if ID_PATTERN.fullmatch(str(batch.get(name) or "")):
                self.stores.links.put(_result_link(link, str(batch[name])))
        status = str(batch.get("status")).lower()
        if status in BATCH_ENDS:
            self.stores.links.put(_usage_of_batch(link, batch))
            self.stores.links.change(link, status=status)
        return status

    def record_deletion(self, response: UpstreamResponse, link: Link) -> Reply:
        """Mark the link of what its provider has deleted, or no longer has.

        The row stays for a while, since it may be the cursor of a list. A failure here is only
        logged: a retry would get a 404.
        """
        if response.status in SUCCESS or response.status == NOT_FOUND:
            try:
                now = int(time.time())
                self.stores.links.change(link, deleted_at=now, expires_at=now + DELETED_SECONDS)
            except Unavailable:
                logger.exception("deletion not recorded", extra={"link": link.id})
        return response.reply()

    def _link(
        self,
        kind: ResourceKind,
        document: Document,
        owner: ResourceOwner,
        fault: GatewayError | None,
    ) -> Link:
        """Raise the fault of the answer, or UpstreamFailed, where no later call could name it."""
        id = readable_id(document)
        if id is None:
            raise fault or UpstreamFailed(NO_ID)
        status = name_or_none(document.get("status")) or "created"
        details = _details(document, DETAILS.get(kind, ()))
        expires_at = self._expires_at(kind, document)
        return object_link(kind, id, owner, expires_at, status, details=details)

    def _expires_at(self, kind: ResourceKind, document: Document) -> int:
        """Return when the link ends: with a file; with the last reference to a container."""
        if kind == "container":
            return expires_after(self.stores.days)
        if kind in {"upload", "batch"}:
            return expires_after(UPLOAD_DAYS if kind == "upload" else BATCH_DAYS)
        expires_at = document.get("expires_at")
        if kind == "file" and type(expires_at) is int and 0 < expires_at < NEVER:
            return expires_at
        return NEVER


def _seen_changes(response: UpstreamResponse, link: Link) -> dict[str, Any]:
    """Return what a successful call changes of the link of its resource.

    Each call begins the idle time of a container anew.
    """
    if link.kind == "container":
        details = details_after_use(link, time.time())
        return {} if details is None else {"details": details}
    if link.kind != "vector_store" or link.status != INDEXING:
        return {}
    store = response.members  # or those of a file in it, which has an id of its own
    status = store.get("status")
    if store.get("id") != link.id or status not in STORE_ENDS:
        return {}
    return {"status": status, "completed_at": int(time.time())}


def _result_link(batch: Link, id: str) -> Link:
    """Return the link of a file with results, which the owner of the batch owns."""
    details = {"id": id, "object": "file", "purpose": "batch_output", "status": "processed"}
    return replace(
        batch,
        id=id,
        kind="file",
        root=id,
        status="processed",
        expires_at=NEVER,
        details={**details, "created_at": batch.created_at},
    )


def _usage_of_batch(link: Link, batch: Document) -> Link:
    """Return the link that counts a batch, as one request, by what its provider says at its end."""
    outcome = {**outcome_attributes({**batch, "status": "completed"}), "service_tier": "batch"}
    return replace(
        link,
        kind="compaction",
        expires_at=expires_after(COMPACTION_DAYS),
        model=name_or_none(batch.get("model")),
        details=None,
        **{**outcome, "store": False},
    )


def _details(document: Document, names: Iterable[str]) -> dict[str, Any] | None:
    """Return some members of an object, as far as a row can hold them."""
    values = {name: document.get(name) for name in names}
    return {name: value for name, value in values.items() if _is_storable(value)} or None


def _is_storable(value: object) -> bool:
    if type(value) is int:
        return abs(value) <= MAX_NUMBER
    return name_or_none(value) is not None
