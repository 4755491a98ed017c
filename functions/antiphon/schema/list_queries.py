"""Query parameters of lists and of retrievals.

The gateway's own lists refuse every unknown parameter. Queries that are passed on to a provider are
checked only as far as its API reference defines them.
"""

import re
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from antiphon.errors import InvalidRequest
from antiphon.schema.fields import Metadata
from antiphon.schema.json_offsets import MAX_PATH_CHARS
from antiphon.schema.validation_errors import invalid_value, validation_error

MAX_LIMIT, MAX_FILES = 100, 10_000
MAX_DIGITS = 18  # of a number
METADATA_PARAM = re.compile(r"metadata\[(.*)\]", re.DOTALL)
IGNORED_PARAM = "api-version"  # Azure's clients send it with every request
DECIDING_PARAMS = {
    "after",
    "before",
    "include_obfuscation",
    "limit",
    "order",
    "starting_after",
    "stream",
}
BODY_PARAMS = {"deployment", "deployment-id", "deployment_id", "engine", "model"}
UNKNOWN = "unknown_parameter"


def check_provider_query(query: str) -> dict[str, str]:
    """Return the parameters that decide, by their names.

    Raise InvalidRequest for those that two readers could read differently: repeated ones, other
    spellings of their names, and names of what the request's body and its target decide.
    """
    found: dict[str, str] = {}
    for name, value in parse_qsl(query.replace(";", "&"), keep_blank_values=True):
        plain_name = name.partition("[")[0].strip().casefold()
        if plain_name in BODY_PARAMS or (plain_name in DECIDING_PARAMS and plain_name != name):
            raise InvalidRequest(f"Unknown parameter: '{name}'.", param=name, code=UNKNOWN)
        if plain_name in found:
            raise _repeated(name)
        if plain_name in DECIDING_PARAMS:
            found[name] = value
    return found


def check_list_query(query: str) -> None:
    """Check `limit` and `order` of a provider's list; raise InvalidRequest."""
    parameters = check_provider_query(query)
    limit, order = parameters.get("limit", "1"), parameters.get("order", "asc")
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= MAX_LIMIT):
        raise _unexpected_value("limit", f"a whole number from 1 to {MAX_LIMIT}")
    if order not in {"asc", "desc"}:
        raise _unexpected_value("order", "'asc' or 'desc'")


def is_stream_query(query: str) -> bool:
    """Return whether a retrieval requests a stream; raise InvalidRequest for invalid values."""
    parameters = check_provider_query(query)
    for name in ("stream", "include_obfuscation"):
        if parameters.get(name, "true").lower() not in {"true", "false"}:
            raise _unexpected_value(name, "'true' or 'false'")
    number = parameters.get("starting_after", "0")
    if not (number.isascii() and number.isdigit()):
        raise _unexpected_value("starting_after", "a whole number")
    return parameters.get("stream", "").lower() == "true"


def _check_digits(text: Any) -> Any:
    """Refuse what Python accepts as a number but readers do not expect: ' 1_0', '10.0'."""
    if isinstance(text, str) and not (
        text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    ):
        raise PydanticCustomError("whole_number", "Input should be a whole number")
    return text


Number = Annotated[int, BeforeValidator(_check_digits)]
EpochSeconds = Annotated[Number, Field(ge=0, le=9_999_999_999)]
Order = Literal["asc", "desc"]


class Query(BaseModel):
    """The parameters of a query; unknown ones are refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
    repeatable: ClassVar[frozenset[str]] = frozenset()  # parameters whose values are joined by ","

    @classmethod
    def parse(cls, query: str) -> Self:
        """Raise InvalidRequest that names the parameter."""
        parameters = cls._read_parameters(query)
        try:
            return cls.model_validate(parameters)
        except ValidationError as exc:
            raise validation_error(parameters, exc) from exc

    @classmethod
    def _read_parameters(cls, query: str) -> dict[str, Any]:
        """Return parameters by name; all `metadata[key]` as one object under `metadata`."""
        parameters: dict[str, Any] = {}
        metadata: dict[str, str] = {}
        pairs = parse_qsl(query, keep_blank_values=True)
        for name, value in (pair for pair in pairs if pair[0].casefold() != IGNORED_PARAM):
            pair = METADATA_PARAM.fullmatch(name)
            if pair is None:
                values, key = parameters, cls._without_brackets(name)
            else:
                values, key = metadata, pair[1]
            if key in values and key in cls.repeatable:
                values[key] += f",{value}"
                continue
            if key in values:
                raise _repeated(name)
            values[key] = value
        cls._check_names(parameters, has_metadata=bool(metadata))
        return {**parameters, "metadata": metadata} if metadata else parameters

    @classmethod
    def _without_brackets(cls, name: str) -> str:
        """Remove the brackets that some clients add to the names of arrays."""
        plain_name = name.removesuffix("[]")
        return plain_name if plain_name in cls.repeatable else name

    @classmethod
    def _check_names(cls, parameters: dict[str, Any], *, has_metadata: bool) -> None:
        fields = set(cls.model_fields)
        unknown = sorted(parameters.keys() - (fields - {"metadata"}))
        if has_metadata and "metadata" not in fields:
            unknown.append("metadata[key]")
        if unknown:
            param = unknown[0][:MAX_PATH_CHARS]
            known = ", ".join("metadata[key]" if n == "metadata" else n for n in sorted(fields))
            hint = f"Known here: {known}." if known else "This endpoint has none."
            message = f"Unknown parameter: '{param}'. {hint}"
            raise InvalidRequest(message, param=param, code=UNKNOWN)


class PageQuery(Query):
    """The page of a list."""

    limit: Annotated[Number, Field(ge=1, le=100)] = 20
    """The maximum number of links on a page."""
    after: str | None = None
    """The page starts after this id: `last_id` of the page before."""


class LineageQuery(PageQuery):
    """GET /responses/{id}/lineage."""

    order: Order = "asc"
    """By creation: parents before their children (`asc`), or the newest first (`desc`)."""


class ConversationsQuery(PageQuery):
    """GET /conversations."""

    order: Order = "desc"
    """By creation: the newest first (`desc`), or the oldest (`asc`)."""
    created_after: EpochSeconds | None = None
    """Only links created after this second (epoch), not within it."""
    created_before: EpochSeconds | None = None
    """Only links created before this second (epoch), not within it."""
    metadata: Metadata = {}
    """`metadata[key]=value`: a link must have all these pairs. The index of metadata is written
    after the links, and may lag a second behind."""


class ResponsesQuery(ConversationsQuery):
    """GET /responses."""

    model: str | None = None
    """The model's name in the request."""
    status: str | None = None
    """The status, such as `completed` or `in_progress`."""


class ResourcesQuery(PageQuery):
    """GET /skills: a list of objects that providers hold, as the provider's own list would be."""

    order: Order = "desc"
    """By creation: the newest first (`desc`), or the oldest (`asc`)."""
    before: str | None = None
    """The page ends before this id: `first_id` of the page after it."""

    @property
    def details(self) -> dict[str, str]:
        """What an object must have, by the names of its members."""
        return {}


class FilesQuery(ResourcesQuery):
    """GET /files."""

    limit: Annotated[Number, Field(ge=1, le=MAX_FILES)] = MAX_FILES
    """The maximum number of files on a page."""
    purpose: str | None = None
    """Only files with this purpose."""

    @property
    def details(self) -> dict[str, str]:
        return {} if self.purpose is None else {"purpose": self.purpose}


class ContainersQuery(ResourcesQuery):
    """GET /containers."""

    name: str | None = None
    """Only containers with this name."""

    @property
    def details(self) -> dict[str, str]:
        return {} if self.name is None else {"name": self.name}


def _repeated(name: str) -> InvalidRequest:
    param = name[:MAX_PATH_CHARS]
    return invalid_value(param, f"Invalid '{param}': it is given more than once.")


def _unexpected_value(param: str, expected: str) -> InvalidRequest:
    return invalid_value(param, f"Invalid '{param}': expected {expected}.")
