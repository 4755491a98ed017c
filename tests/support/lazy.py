"""Packages that only a few tests need: each process collects all tests, but runs a part of them."""

from importlib import import_module
from typing import Any


class LazyModule:
    """A module that is imported when a test reads its first attribute.

    pytest reads attributes such as `_mock_name` and `__wrapped__` of all that a file of tests
    names; these do not import it.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        return getattr(import_module(self._name), attribute)
