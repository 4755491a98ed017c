"""The figures of an answer, told when it has truly ended."""

from functools import partial
from typing import Any

from aws_lambda_powertools.event_handler import Response

from antiphon.errors import GatewayError, InvalidRequest, NotFound
from antiphon.http import Ending
from antiphon.observe import figures
from antiphon.routes import traffic
from antiphon.settings.metrics import ADDED, ANSWER, ERRORS, FIRST_EVENT, REQUESTS

FAILED, BUSY, THEIR_FAULT = 400, 429, 500


def refused(fault: GatewayError) -> Response[Any]:
    """Count a refusal of ours; what is wrong with a request in detail is told by its line alone."""
    code = fault.code
    if isinstance(fault, InvalidRequest | NotFound):
        usual = "not_found" if isinstance(fault, NotFound) else "invalid_request"
        code = type(fault).code or usual
    figures.count(ERRORS, kind=code or "gateway_error")
    return traffic.refused(fault)


def measured(answer: dict[str, Any], ms: float, request_id: str) -> dict[str, Any]:
    """Count an answer that was ready after so many ms, and tell its figures at its end."""
    streams = hasattr(answer["body"], "close")
    figures.count(REQUESTS)
    if answer["statusCode"] >= FAILED:
        _note_failure(answer["statusCode"])
    elif figures.waited_ms:
        figures.measure(FIRST_EVENT if streams else ANSWER, round(ms, 1))
        figures.measure(ADDED, round(max(ms - figures.waited_ms, 0), 2))
    tell = partial(figures.tell, request_id=request_id)
    if streams:
        return {**answer, "body": Ending(answer["body"], tell)}
    tell()
    return answer


def _note_failure(status: int) -> None:
    """What we have not refused ourselves is a provider's answer, new or told again."""
    if figures.of(ERRORS):
        return
    if not figures.waited_ms:
        figures.count(ERRORS, kind="replayed")
        return
    part = str(BUSY) if status == BUSY else "5xx" if status >= THEIR_FAULT else "4xx"
    figures.count(ERRORS, kind=f"provider_{part}")
