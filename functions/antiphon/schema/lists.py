"""Queries of the lists that the gateway answers itself."""

import re
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import parse_qsl

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from antiphon.errors import InvalidRequest
from antiphon.schema.fields import Metadata
from antiphon.schema.refusal import LONGEST_PATH, invalid, refused

PAIR = re.compile(r"metadata\[(.*)\]", re.DOTALL)
ANYWHERE = "api-version"  # clients of Azure send it with every call
LONGEST = 18  # digits of a number


def _digits(text: Any) -> Any:
    """Python would take more for a number than a reader does: ' 1_0', '10.0'."""
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) <= LONGEST):
        raise PydanticCustomError("whole_number", "Input should be a whole number")
    return text


Number = Annotated[int, BeforeValidator(_digits)]
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
            raise refused(given, exc) from exc

    @classmethod
    def _gathered(cls, query: str) -> dict[str, Any]:
        """Parameters by their names; `metadata[key]` ones together under `metadata`."""
        given: dict[str, Any] = {}
        pairs: dict[str, str] = {}
        for name, value in parse_qsl(query, keep_blank_values=True):
            pair = PAIR.fullmatch(name)
            into, key = (given, cls._plain(name)) if pair is None else (pairs, pair[1])
            if key in into and key in cls.repeatable:
                into[key] += f",{value}"
                continue
            if key in into:
                param = name[:LONGEST_PATH]
                raise invalid(param, f"Invalid '{param}': it is given more than once.")
            into[key] = value
        given.pop(ANYWHERE, None)
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
            param = unknown[0][:LONGEST_PATH]
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
