"""An upload: a file that arrives in parts, within an hour."""

import time
from dataclasses import dataclass, field
from hashlib import md5

from infra.local.simulator.errors import ApiError, MissingResource, invalid_parameter
from infra.local.simulator.file import File
from infra.local.simulator.items import Json, new_id

LIFETIME = 3600  # seconds
MAX_PART_BYTES = 64 * 1024 * 1024


@dataclass(eq=False)
class Upload:
    """Its parts by id; `file` describes the file that they become, without a content yet."""

    size: int
    file: File
    id: str = field(default_factory=lambda: new_id("upload"))
    parts: dict[str, bytes] = field(default_factory=dict)
    status: str = "pending"

    @property
    def weight(self) -> int:
        return sum(len(part) for part in self.parts.values())

    def add_part(self, content: bytes) -> Json:
        self._check_pending()
        if len(content) > MAX_PART_BYTES:
            fault = f"the part has {len(content)} bytes, more than {MAX_PART_BYTES}."
            raise invalid_parameter("data", fault, "part_too_large")
        id = new_id("part")
        self.parts[id] = content
        return {
            "id": id,
            "object": "upload.part",
            "created_at": int(time.time()),
            "upload_id": self.id,
        }

    def join(self, part_ids: list[str], checksum: str | None) -> bytes:
        """Returns the parts in the order of `part_ids`, which must be the bytes announced."""
        self._check_pending()
        missing = next((id for id in part_ids if id not in self.parts), None)
        if missing is not None:
            raise MissingResource(f"No such Part object: {missing}", "part_ids")
        content = b"".join(self.parts[id] for id in part_ids)
        if len(content) != self.size:
            fault = f"the parts have {len(content)} bytes, but the upload has {self.size}."
            raise invalid_parameter("part_ids", fault, "invalid_value")
        if checksum is not None and md5(content, usedforsecurity=False).hexdigest() != checksum:
            raise invalid_parameter("md5", "it is not that of the parts.", "invalid_value")
        return content

    def complete(self, file: File) -> None:
        self.status, self.file = "completed", file
        self.parts.clear()

    def cancel(self) -> None:
        self._check_pending()
        self.status = "cancelled"
        self.parts.clear()

    def _check_pending(self) -> None:
        if self.current_status != "pending":
            raise ApiError(400, f"The upload has status '{self.current_status}', not 'pending'.")

    @property
    def current_status(self) -> str:
        is_over = self.status == "pending" and time.time() >= self.file.created_at + LIFETIME
        return "expired" if is_over else self.status

    def describe(self) -> Json:
        """Returns the upload in the format of the API; only a completed one has a file."""
        file = {"file": self.file.describe()} if self.status == "completed" else {}
        created_at = int(self.file.created_at)
        return {
            "id": self.id,
            "object": "upload",
            "bytes": self.size,
            "created_at": created_at,
            "filename": self.file.filename,
            "purpose": self.file.purpose,
            "status": self.current_status,
            "expires_at": created_at + LIFETIME,
            **file,
        }
