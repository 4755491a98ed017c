"""Answers that refuse: one for each status, with every code the gateway itself gives."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from antiphon.errors import GatewayError
from infra.reference import headers
from infra.reference.refusals import ABOUT, BY_CLASS, CODES, PASSED, TYPES, Sample
from infra.reference.schemas import Schema, ref

WAITS = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


@dataclass(frozen=True)
class Failure:
    """One error as an example shows it."""

    name: str
    status: int
    error: Schema

    @property
    def example(self) -> Schema:
        return {"summary": self.error["code"] or self.name, "value": {"error": self.error}}


def reference(status: int | str) -> Schema:
    return {"$ref": f"#/components/responses/{_name(status)}"}


def responses() -> dict[str, Schema]:
    """A component for each status, and `default` for what passes from a provider."""
    by_status: dict[int, list[Failure]] = {}
    for failure in _all():
        by_status.setdefault(failure.status, []).append(failure)
    ours = {
        _name(status): _response(_about(status), _headers(status), failures)
        for status, failures in sorted(by_status.items())
    }
    return {**ours, _name("default"): _response(PASSED, headers.PASSED)}


def classes(root: type[GatewayError] = GatewayError) -> Iterator[type[GatewayError]]:
    """The tree of errors.py, every class of it."""
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith("antiphon.errors"):
            yield from classes(child)


def _all() -> Iterator[Failure]:
    for cls in classes():
        sample = BY_CLASS.get(cls.__name__, Sample(cls.__doc__ or f"{cls.__name__}."))
        fault = cls(sample.message, param=sample.param)
        yield Failure(cls.__name__, cls.status, dict(fault.error()))
    for status, samples in CODES.items():
        kind = TYPES.get(status, "invalid_request_error")
        for said in samples:
            error = {"message": said.message, "type": kind, "param": said.param, "code": said.code}
            yield Failure(str(said.code), status, error)


def _response(about: str, names: Iterable[str], failures: Sequence[Failure] = ()) -> Schema:
    examples = {failure.name: failure.example for failure in failures}
    content = {"schema": ref("Error"), **({"examples": examples} if examples else {})}
    told = headers.told(names)
    return {"description": about, "headers": told, "content": {"application/json": content}}


def _headers(status: int) -> Iterator[str]:
    yield "x-antiphon-request-id"
    if status in WAITS:
        yield "retry-after"
    if any(cls.status == status and cls.retry is not None for cls in classes()):
        yield "x-should-retry"


def _about(status: int) -> str:
    return ABOUT.get(status, HTTPStatus(status).phrase)


def _name(status: int | str) -> str:
    if isinstance(status, str):
        return "FromProvider"
    return HTTPStatus(status).name.title().replace("_", "")
