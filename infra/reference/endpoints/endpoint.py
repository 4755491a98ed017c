"""One endpoint as a row: what differs from one to the next, and nothing else."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel

from infra.reference.schemas import Schema

type Access = Literal["provider", "gateway", "anyone"]


@dataclass(frozen=True)
class Body:
    """A request's body."""

    model: type[BaseModel]
    required: bool = True
    examples: Schema = field(default_factory=dict)


@dataclass(frozen=True)
class Endpoint:
    id: str  # operationId
    call: str  # "GET /responses/{id}"
    tag: str
    summary: str
    about: str
    answer: type[BaseModel] | str  # a media type, where it is no JSON of ours
    query: tuple[Schema, ...] = ()
    body: Body | None = None
    examples: Schema = field(default_factory=dict)  # of the answer
    stream: str = ""  # when the answer is a stream
    answered_by: Access = "provider"
    ours: bool = False  # OpenAI has no such endpoint

    @property
    def method(self) -> str:
        return self.call.split()[0].lower()

    @property
    def path(self) -> str:
        return self.call.split()[1]
