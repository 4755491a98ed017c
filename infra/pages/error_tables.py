"""The tables of error codes, from the classes and examples that the reference has as well."""

from collections.abc import Iterator

from antiphon.errors import (
    GatewayError,
    InvalidRequest,
    LimitReached,
    UpstreamFailed,
    UpstreamTimeout,
)
from infra.pages.tables import NONE, build_table
from infra.reference.errors import ErrorExample, error_classes, error_examples
from infra.rest_errors import REST_ERRORS, RestError

COLUMNS = ("Status", "`code`", "`type`", "`x-should-retry`", "A message, as an example")
# The classes of the codes that have no class of their own, by status.
CLASS_OF_STATUS: dict[int, type[GatewayError]] = {
    each.status: each for each in (InvalidRequest, LimitReached, UpstreamFailed, UpstreamTimeout)
}
REST_STATUSES = {"DEFAULT_4XX": "4xx", "DEFAULT_5XX": "5xx", "THROTTLED": "429"}
FIRST_SERVER_ERROR = 500
REST_TIMEOUT_STATUS = "504"  # API Gateway's default for INTEGRATION_TIMEOUT


def gateway_table() -> str:
    """Return one row for each status, code and type, with the last of its examples."""
    rows = {row[:4]: row for row in _gateway_rows()}
    return build_table(COLUMNS, sorted(rows.values()))


def api_gateway_table() -> str:
    """Return one row for each error that API Gateway makes itself."""
    return build_table(COLUMNS, map(_rest_row, REST_ERRORS))


def _gateway_rows() -> Iterator[tuple[str, ...]]:
    for example in error_examples():
        error = example.error
        code = f"`{error['code']}`" if error["code"] else NONE
        message = str(error["message"]).replace("<", "&lt;")
        yield str(example.status), code, f"`{error['type']}`", _retry(example), message


def _retry(example: ErrorExample) -> str:
    cls = next(
        (cls for cls in error_classes() if _belongs_to(example, cls)),
        CLASS_OF_STATUS.get(example.status, GatewayError),
    )
    return "" if cls.retry is None else f"`{cls.retry}`".lower()


def _belongs_to(example: ErrorExample, cls: type[GatewayError]) -> bool:
    """Whether the example is of this class: by its name, or by a code that only it has.

    A code of a 5xx may be that of several classes.
    """
    has_its_code = (example.status, example.name) == (cls.status, cls.code)
    return example.name == cls.__name__ or (has_its_code and cls.status < FIRST_SERVER_ERROR)


def _rest_row(error: RestError) -> tuple[str, ...]:
    status = error.status or REST_STATUSES.get(error.kind, REST_TIMEOUT_STATUS)
    code = "the type of API Gateway's error" if error.code.startswith("$") else f"`{error.code}`"
    retry = "`false`" if error.may_be_processed else ""
    return status, code, f"`{error.type}`", retry, error.message or "API Gateway's own"
