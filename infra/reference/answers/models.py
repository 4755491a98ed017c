"""Answers of /models and /health."""

from typing import Literal

from infra.reference.answers.open import Open


class ModelObject(Open):
    id: str
    """The name to give as `model`."""
    object: Literal["model"]
    created: int
    """In epoch seconds; 0 where nobody tells."""
    owned_by: str


class ModelList(Open):
    object: Literal["list"]
    data: list[ModelObject]


class Health(Open):
    status: Literal["ok"]
