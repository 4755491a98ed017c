"""What stands in a query, checked as far as the provider's reference states it.

Queries of the lists that the gateway answers itself.
"""

import re
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import parse_qs, parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from antiphon.errors import InvalidRequest
from antiphon.schema.fields import Metadata
from antiphon.schema.validation_errors import MAX_PATH_CHARS, invalid_value, validation_error

MAX_LIMIT = 100


def check_list_query(query: str) -> None:
    """Parameters of a provider's list: limit, order."""
    given = parse_qs(query, keep_blank_values=True)
    for limit in given.get("limit", ()):
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= MAX_LIMIT):
            raise _invalid_parameter("limit", f"a whole number from 1 to {MAX_LIMIT}")
    for order in given.get("order", ()):
        if order not in {"asc", "desc"}:
            raise _invalid_parameter("order", "'asc' or 'desc'")


def is_stream_query(query: str) -> bool:
    """Whether a retrieval asks for the stream; raise InvalidRequest for what is no such thing."""
    given = parse_qs(query, keep_blank_values=True)
    for name in ("stream", "include_obfuscation"):
        if not {value.lower() for value in given.get(name, ())} <= {"true", "false"}:
            raise _invalid_parameter(name, "'true' or 'false'")
    for after in given.get("starting_after", ()):
        if not (after.isascii() and after.isdigit()):
            raise _invalid_parameter("starting_after", "a whole number")
    return [value.lower() for value in given.get("stream", ())][-1:] == ["true"]


def _invalid_parameter(param: str, expected: str) -> InvalidRequest:
    message = f"Invalid '{param}': expected {expected}."
    return InvalidRequest(message, param=param, code="invalid_value")


METADATA_PARAM = re.compile(r"metadata\[(.*)\]", re.DOTALL)
ALLOWED_EVERYWHERE = "api-version"  # clients of Azure send it with every call
MAX_DIGITS = 18  # digits of a number


def _check_digits(text: Any) -> Any:
    """Python would take more for a number than a reader does: ' 1_0', '10.0'."""
    if isinstance(text, str) and not (
        text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    ):
        raise PydanticCustomError("whole_number", "Input should be a whole number")
    return text


Number = Annotated[int, BeforeValidator(_check_digits)]
EpochSeconds = Annotated[Number, Field(ge=0, le=9_999_999_999)]
Order = Literal["asc", "desc"]


class Query(BaseModel):
    """Parameters of a query; one that is not known is refused, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)
    repeatable: ClassVar[frozenset[str]] = frozenset()  # given more than once, joined by commas

    @classmethod
    def parse(cls, query: str) -> Self:
        """Raise InvalidRequest that names the parameter."""
        given = cls._gathered(query)
        try:
            return cls.model_validate(given)
        except ValidationError as exc:
            raise validation_error(given, exc) from exc

    @classmethod
    def _gathered(cls, query: str) -> dict[str, Any]:
        """Parameters by their names; `metadata[key]` ones together under `metadata`."""
        given: dict[str, Any] = {}
        pairs: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            pair = METADATA_PARAM.fullmatch(name)
            into, key = (given, cls._plain(name)) if pair is None else (pairs, pair[1])
            if key in into and key in cls.repeatable:
                into[key] += f",{value}"
                continue
            if key in into:
                param = name[:MAX_PATH_CHARS]
                raise invalid_value(param, f"Invalid '{param}': it is given more than once.")
            into[key] = value
        given.pop(ALLOWED_EVERYWHERE, None)
        cls._check_names(given, has_pairs=bool(pairs))
        return {**given, "metadata": pairs} if pairs else given

    @classmethod
    def _plain(cls, name: str) -> str:
        """The name without the brackets that clients put behind those of arrays."""
        plain = name.removesuffix("[]")
        return plain if plain in cls.repeatable else name

    @classmethod
    def _check_names(cls, given: dict[str, Any], *, has_pairs: bool) -> None:
        fields = set(cls.model_fields)
        unknown = sorted(given.keys() - (fields - {"metadata"}))
        if has_pairs and "metadata" not in fields:
            unknown.append("metadata[key]")
        if unknown:
            param = unknown[0][:MAX_PATH_CHARS]
            known = ", ".join("metadata[key]" if n == "metadata" else n for n in sorted(fields))
            message = f"Unknown parameter: '{param}'. Known here: {known}."
            raise InvalidRequest(message, param=param, code="unknown_parameter")


class PageQuery(Query):
    """Which part of a list."""

    limit: Annotated[Number, Field(ge=1, le=100)] = 20
    """How many links a page holds at most."""
    after: str | None = None
    """The id that the page begins behind: `last_id` of the page before."""


class LineageQuery(PageQuery):
    """GET /responses/{id}/lineage."""

    order: Order = "asc"
    """By creation: parents before their children (`asc`), or the newest first (`desc`)."""


class ConversationsQuery(PageQuery):
    """GET /conversations."""

    order: Order = "desc"
    """By creation: the newest first (`desc`), or the oldest (`asc`)."""
    created_after: EpochSeconds | None = None
    """Only what was made after this second (epoch), not within it."""
    created_before: EpochSeconds | None = None
    """Only what was made before this second (epoch), not within it."""
    metadata: Metadata = {}
    """`metadata[key]=value`: all given pairs must be there. The index of metadata is written
    after the links, and may lag a second behind."""


class ResponsesQuery(ConversationsQuery):
    """GET /responses."""

    model: str | None = None
    """The model's name as it was asked for."""
    status: str | None = None
    """How far it is, such as `completed` or `in_progress`."""
