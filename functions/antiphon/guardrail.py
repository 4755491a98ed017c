"""Asks a guardrail of the operator's whether the text of a request may go to a provider."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from antiphon.auth import Caller
from antiphon.errors import ContentRefused, GuardrailUnavailable
from antiphon.http import Request
from antiphon.observability import logger
from antiphon.schema.create import RequestBody
from antiphon.schema.resource_references import VARIABLES
from antiphon.store.guardrails import NoVerdict, Question

PARTS = ("instructions", "input", "items", "prompt")  # of a body, which contain its text
# Members of items that are no text, or none that the caller wrote for the model.
NO_TEXT = {
    *("type", "role", "id", "call_id", "status", "name", "detail", "format", "encrypted_content"),
    *("image_url", "file_url", "file_data", "file_id", "filename", "data", "result"),
    *("server_label", "server_url", "container_id", "version"),
}


class Judge(Protocol):
    def judge(self, question: Question) -> str | None:
        """Return why the text is refused, or None; raise NoVerdict."""
        ...


@dataclass(frozen=True, eq=False, repr=False)
class Guardrail:
    """Knows the text of a request for as long as it takes to judge it."""

    judge: Judge
    refuses_on_error: bool
    clock: Callable[[], float] = time.monotonic

    def check(self, body: RequestBody, caller: Caller, request: Request) -> None:
        """Raise ContentRefused with the reason, or GuardrailUnavailable."""
        texts = [*find_texts(body.document)]
        if not texts:
            return
        started = self.clock()
        model = body.document.get("model")
        question = Question(caller.tenant, model if isinstance(model, str) else None, texts)
        reason = self._ask(question)
        request.metrics.fields.update(guardrail_ms=round(1000 * (self.clock() - started), 1))
        if reason is not None:
            raise ContentRefused(f"The guardrail of this gateway refuses the input: {reason}")

    def _ask(self, question: Question) -> str | None:
        try:
            return self.judge.judge(question)
        except NoVerdict as exc:
            logger.warning("no verdict of the guardrail", extra={"reason": str(exc)})
            if self.refuses_on_error:
                message = "The guardrail of this gateway did not answer, so nothing was sent."
                raise GuardrailUnavailable(message) from exc
            return None


def find_texts(document: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of instructions, input, items and variables of a prompt, in their order."""
    nodes: list[Any] = [document[name] for name in reversed(PARTS) if name in document]
    while nodes:
        node = nodes.pop()
        if isinstance(node, str):
            if node.strip():
                yield node
        elif isinstance(node, list):
            nodes += reversed(node)
        elif isinstance(node, dict):
            nodes += reversed([*_parts(node)])


def _parts(node: Mapping[str, Any]) -> Iterator[Any]:
    for name, value in node.items():
        if name == VARIABLES and isinstance(value, dict):
            yield [*value.values()]  # their names are the caller's
        elif name not in NO_TEXT:
            yield value
