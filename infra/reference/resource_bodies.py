"""Bodies with which files, stores and containers are made: they pass unchecked, except for ids.

The gateway has no models of them, so they are described here for readers alone.
"""

from typing import Any, Literal

from openai import types
from pydantic import Field
from pydantic.config import JsonDict

from infra.reference.answers import OpenObject

BINARY: JsonDict = {"type": "string", "contentMediaType": "application/octet-stream"}


class FileForm(OpenObject):
    """A form (`multipart/form-data`), at most `max_body_bytes` long; more only as an upload."""

    file: str = Field(json_schema_extra=BINARY)
    """The file, with its name."""
    purpose: str
    """What it is for, such as `assistants`, `user_data`, `vision` or `batch`."""


class PartForm(OpenObject):
    """A form (`multipart/form-data`), at most `max_body_bytes` long."""

    data: str = Field(json_schema_extra=BINARY)
    """The next bytes of the file: 4 MiB fit."""


class SkillForm(OpenObject):
    """A form (`multipart/form-data`), at most `max_body_bytes` long."""

    files: str = Field(json_schema_extra=BINARY)
    """A zip file; or several files, whose names are their paths, as `files[]`."""


class NewUpload(OpenObject):
    """A file that is sent in parts."""

    bytes: int
    """The size of the whole file."""
    filename: str
    """The name of the file."""
    mime_type: str
    """The type of its content."""
    purpose: str
    """What it is for."""


class UploadEnd(OpenObject):
    """The parts of an upload."""

    part_ids: list[str]
    """The ids of all parts, in the order of the file."""


class StoreBody(OpenObject):
    """What a vector store has; after its creation without `file_ids`."""

    name: str | None = None
    """A name to recognise it by."""
    file_ids: list[str] | None = None
    """The files to index. They must be the tenant's own."""
    metadata: dict[str, Any] | None = None
    """At most 16 pairs."""


class SearchBody(OpenObject):
    """A search in a vector store."""

    query: str | list[str]
    """What to look for."""
    max_num_results: int | None = None
    """The maximum number of results."""


class StoreFileBody(OpenObject):
    """A file for a vector store."""

    file_id: str | None = None
    """The file. It must be the tenant's own; absent where only `attributes` change."""
    attributes: dict[str, Any] | None = None
    """Values that a search can filter by."""


class FileBatchBody(OpenObject):
    """Files for a vector store."""

    file_ids: list[str] | None = None
    """The files, at most 2,000. They must be the tenant's own."""
    files: list[dict[str, Any]] | None = None
    """Instead: a `file_id` with its `attributes` for each file."""


class ContainerBody(OpenObject):
    """A container, in which a code interpreter works."""

    name: str
    """A name to recognise it by."""
    file_ids: list[str] | None = None
    """The files that it begins with. They must be the tenant's own."""


class ContainerFileBody(OpenObject):
    """A file for a container; or the file itself, as the part `file` of a form."""

    file_id: str
    """The file. It must be the tenant's own."""


class SkillBody(OpenObject):
    """A skill after its creation."""

    default_version: str
    """The version that is used where none is named."""


class VectorStore(types.VectorStore):
    """Processed files in which `file_search` searches."""

    name: str | None  # type: ignore[assignment]  # null where it was made without one
    """The name of the vector store."""


class DeletedContainer(OpenObject):
    id: str
    object: Literal["container.deleted"]
    deleted: bool


class DeletedContainerFile(OpenObject):
    id: str
    object: str
    deleted: bool


class ResourceList(OpenObject):
    """A page of the tenant's own objects, each as its retrieval returns it."""

    object: Literal["list"]
    data: list[dict[str, Any]]
    """The objects, in the requested order."""
    first_id: str | None = None
    """The id of the first one in `data`."""
    last_id: str | None = None
    """The value of `after` for the next page: the id of the last one in `data`."""
    has_more: bool = False
    """Whether there is a next page."""


class TextPage(OpenObject):
    """A page of texts from files, as their provider returns it."""

    object: Literal["vector_store.search_results.page", "vector_store.file_content.page"]
    data: list[dict[str, Any]]
    """What was found, the best first; or the texts of a file in their order."""
    has_more: bool = False
    """Whether there is a next page."""
    next_page: str | None = None
    """What stands for the next page."""


FORMS = {FileForm, PartForm, SkillForm}
