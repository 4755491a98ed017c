"""The checks as data, in the order in which they run, and how they are run."""

from collections.abc import Callable, Iterable, Iterator

import httpx

from infra.doctor.check import Check, CheckResult, run_in_order
from infra.doctor.checks import bedrock, connection, files, lifecycle, records, rejections, streams
from infra.doctor.findings import Finding, advise_on_exception, fails, skipped
from infra.doctor.session import NoModelError, Session

REACHED: tuple[str, ...] = ("reach",)
WITH_KEY = ("reach", "models")
WITH_RESPONSE, WITH_STREAM = ("create",), ("stream",)
CHECKS: tuple[Check[Session], ...] = (
    Check("reach", "The server answers", connection.check_reach),
    Check("health", "The gateway is healthy", connection.check_health, REACHED),
    Check("reference", "It serves its API reference", connection.check_reference, REACHED),
    Check("no-key", "A request without a key is refused", rejections.check_no_key, REACHED),
    Check("wrong-key", "A wrong key is refused", rejections.check_wrong_key, REACHED),
    Check(
        "models", "The key is valid, and there are models to call", lifecycle.check_models, REACHED
    ),
    Check("unknown-model", "An unknown model is refused", rejections.check_model, WITH_KEY),
    Check("bad-body", "A body that is not JSON is refused", rejections.check_bad_body, WITH_KEY),
    Check("unknown-id", "An unknown id is not found", rejections.check_unknown_id, WITH_KEY),
    Check(
        "unknown-parent",
        "A response cannot continue an unknown one",
        rejections.check_unknown_parent,
        WITH_KEY,
    ),
    Check(
        "large-body",
        "A body over the limit is refused, and the message states the limit",
        rejections.check_large_body,
        REACHED,
    ),
    Check("huge-body", "A body over AWS's limit is refused", rejections.check_huge_body, REACHED),
    Check("websocket", "A WebSocket is refused at once", rejections.check_websocket, WITH_KEY),
    Check("create", "A response is created", lifecycle.check_create, WITH_KEY, costs=True),
    Check(
        "retrieve",
        "It is stored and can be retrieved",
        lifecycle.check_retrieve,
        WITH_RESPONSE,
        costs=True,
    ),
    Check(
        "input-items",
        "Its input items can be listed",
        lifecycle.check_input_items,
        WITH_RESPONSE,
        costs=True,
    ),
    Check(
        "continue",
        "Another response continues it",
        lifecycle.check_continue,
        WITH_RESPONSE,
        costs=True,
    ),
    Check("list", "The tenant's list contains it", lifecycle.check_list, WITH_RESPONSE, costs=True),
    Check(
        "metadata",
        "A search by its metadata finds it",
        records.check_metadata,
        WITH_RESPONSE,
        costs=True,
    ),
    Check(
        "foreign",
        "Another tenant does not find it",
        lifecycle.check_other_tenant,
        WITH_RESPONSE,
        costs=True,
    ),
    Check("stream", "A response is streamed", streams.check_stream, WITH_KEY, costs=True),
    Check(
        "flow",
        "Its events arrive as they are generated",
        streams.check_flow,
        WITH_STREAM,
        costs=True,
    ),
    Check(
        "order",
        "They arrive in order, and none is missing",
        streams.check_order,
        WITH_STREAM,
        costs=True,
    ),
    Check("end", "The last event is a terminal event", streams.check_end, WITH_STREAM, costs=True),
    Check(
        "leave",
        "A response ends properly after its client disconnects",
        streams.check_disconnect,
        WITH_STREAM,
        costs=True,
    ),
    Check(
        "long", "A long stream is not cut", streams.check_long, WITH_STREAM, costs=True, long=True
    ),
    Check(
        "long-json",
        "A long JSON response is not cut",
        records.check_long_json,
        WITH_RESPONSE,
        costs=True,
        long=True,
    ),
    Check(
        "background",
        "A background response gets its end and its usage",
        records.check_background,
        WITH_RESPONSE,
        costs=True,
    ),
    Check(
        "usage",
        "The usage of the first response is counted",
        records.check_usage,
        WITH_RESPONSE,
        costs=True,
    ),
    Check(
        "file",
        "A file is uploaded, retrieved and deleted",
        files.check_file,
        WITH_KEY,
        costs=True,
    ),
    Check(
        "delete",
        "A deleted response is not found",
        lifecycle.check_delete,
        WITH_RESPONSE,
        costs=True,
    ),
    Check(
        "bedrock",
        "Each target of Bedrock in the local gateway.toml answers",
        bedrock.check_bedrock,
        WITH_KEY,
        costs=True,
    ),
    Check(
        "private",
        "No header identifies the provider's account",
        connection.check_private_headers,
        REACHED,
    ),
    Check("request-ids", "Every response has a request id", connection.check_request_ids, REACHED),
    Check("names", "No header is renamed", connection.check_header_names, REACHED),
)
NOT_VISIBLE = (
    "Whether Lambda recognises the names of the runtime's own headers.",
    "What callers see of a crash during a stream: a broken connection, never a normal end.",
    "Whether .pyc files are used: Init Duration in the api function's log, well under a second.",
    "How long AWS bills after a caller disconnects: Billed Duration there, to the stream's end.",
    "Whether somebody receives the alarms: `aws sns publish` to the stack's output AlarmTopic.",
)


def select_checks(*, free: bool, long: bool) -> list[Check[Session]]:
    """List the checks without those that cost tokens (`free`) or take long (unless `long`)."""
    return [each for each in CHECKS if not (each.costs and free) and (long or not each.long)]


def run_checks(
    session: Session, checks: Iterable[Check[Session]], on_start: Callable[[str], None]
) -> Iterator[CheckResult]:
    """Run the checks in order; delete what they created at the end."""
    try:
        yield from run_in_order(checks, lambda check: _run_check(check, session), on_start)
    finally:
        _clean_up(session)


def _run_check(check: Check[Session], session: Session) -> Finding:
    try:
        return check.run(session)
    except NoModelError:
        return skipped("no served model looks like a text model", "Name one with --model.")
    except httpx.HTTPError as exc:
        return fails(f"no response: {str(exc) or type(exc).__name__}", advise_on_exception(exc))


def _clean_up(session: Session) -> None:
    try:
        session.delete_created()
    except httpx.HTTPError:
        session.created.clear()  # the gateway is not reachable; the responses expire
