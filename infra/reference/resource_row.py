"""One endpoint of files, stores and containers as a row: they differ in little."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel

from infra.reference import parameters
from infra.reference.operation import BINARY, Body, Endpoint
from infra.reference.resource_bodies import FORMS
from infra.reference.resource_examples import ANSWERS, REQUESTS
from infra.reference.schemas import Schema

OWN_LIST = (
    "Lists the tenant's own objects at all targets. An unknown parameter is refused. The index of "
    "the list is written after the objects, and may lag a second behind."
)
MAKES = (
    "Makes it at the target that holds what the request refers to; else at the target in the "
    "header `x-antiphon-target`, or at one that serves the model in `x-antiphon-model`; else at "
    "the default of the key, of the tenant or of the gateway. With an `Idempotency-Key` it is made "
    "once."
)
DOWNLOAD = (
    "Streams the content as its provider sends it. More than 200 MB, the limit of AWS Lambda, must "
    "be requested in parts, with the header `Range`."
)
PROVIDER_PAGE = (parameters.LIMIT, parameters.AFTER, parameters.ORDER)


@dataclass(frozen=True)
class Row:
    """What differs between these endpoints."""

    id: str
    call: str
    summary: str
    about: str
    answer: type[BaseModel] | str
    body: type[BaseModel] | None = None
    query: Sequence[Schema] = ()

    def to_endpoint(self, tag: str) -> Endpoint:
        is_made = self.about is MAKES
        return Endpoint(
            self.id,
            self.call,
            tag,
            self.summary,
            self.about,
            self.answer,
            query=(
                *self.query,
                *([parameters.IDEMPOTENCY_KEY] if is_made else []),
                *([parameters.RANGE] if self.answer == BINARY else []),
            ),
            body=self._body(),
            examples=ANSWERS.get(self.id, {}),
        )

    def _body(self) -> Body | None:
        if self.body is None:
            return None
        media = "multipart/form-data" if self.body in FORMS else "application/json"
        return Body(self.body, examples=REQUESTS[self.id], media=media)


def of(query: type[BaseModel]) -> Sequence[Schema]:
    return tuple(parameters.of_model(query))
