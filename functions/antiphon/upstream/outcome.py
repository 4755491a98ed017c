"""THE policy: what follows from each status and each fault of one attempt at a target.

Everything that depends on "may the provider have processed this request?" reads one `Policy`:
failover, charges against limits, the Idempotency-Key, `x-should-retry`, and the circuit breaker.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import cached_property

from antiphon.errors import (
    CredentialMissing,
    GatewayError,
    LinkNotWritten,
    Processed,
    Unavailable,
    UpstreamFailed,
    UpstreamNotReached,
    retry_header,
)
from antiphon.http import MAX_CALL_SECONDS, Reply, Request, RequestMetrics, may_pay_again
from antiphon.json_reader import Answer, Members, read_json
from antiphon.observability import logger
from antiphon.providers.errors import (
    ProviderError,
    empty_error,
    mask_account,
    mask_failed_response,
)
from antiphon.providers.provider import Candidate
from antiphon.schema.list_queries import check_provider_query
from antiphon.upstream.download import Download
from antiphon.upstream.stream import UpstreamStream

MARGIN_SECONDS = 10.0  # for an orderly end before Lambda's limit; at most a quarter of what is left
MAX_RETRY_AFTER_SECONDS = 900.0  # a longer `retry-after` of a provider is cut to this
# Codes of faults that say nothing about the target: limits of the gateway, or its end.
OWN_ENDS = {"gateway_deadline", "gateway_stopped", "event_too_large", "upstream_answer_too_large"}
JSON = "application/json"
SUCCESS = range(200, 300)
FIRST_ERROR, FIRST_SERVER_ERROR = 400, 500
BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 400, 401, 403, 404
TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE = 429, 503
CREDENTIAL_REFUSED = {UNAUTHORIZED, FORBIDDEN}


@dataclass(frozen=True)
class UpstreamRequest:
    """One request to a provider, independent of the target that serves it."""

    method: str
    path: str  # below the target's prefix; built by the gateway, never the caller's text
    query: str = ""  # still percent-encoded
    headers: Mapping[str, str] = field(default_factory=dict)  # filtered by the exchange
    body: bytes = b""
    body_for: Callable[[str | None], bytes] | None = None  # the body for a target's model name
    is_form: bool = False  # multipart/form-data, which passes with the caller's own content type
    is_download: bool = False  # its success is a file, which passes as raw bytes
    streams: bool = False
    ends_at: float = float("inf")  # time.monotonic() at which Lambda ends the invocation
    answers_by: float = float("inf")  # until when the caller must have got a first byte
    timeout_seconds: float = MAX_CALL_SECONDS  # for the complete response
    follows_new: bool = False  # continues a response that its provider may not find yet
    metrics: RequestMetrics = field(default_factory=RequestMetrics, compare=False)
    # Called for a stream that failed without output, in whose place another target's is returned;
    # None where no other target may serve the request.
    on_abandoned: "Callable[[UpstreamResponse], None] | None" = None

    @classmethod
    def forward(
        cls,
        request: Request,
        path: str,
        *,
        is_form: bool = False,
        is_download: bool = False,
        streams: bool = False,
    ) -> "UpstreamRequest":
        """Forward a caller's request as it came, to a path of the provider.

        Raise InvalidRequest for a query that two readers could read differently.
        """
        if request.query:
            check_provider_query(request.query)
        return cls(
            method=request.method,
            path=path,
            query=request.query,
            headers=request.headers,
            body=request.body,
            is_form=is_form,
            is_download=is_download,
            streams=streams,
            ends_at=request.ends_at,
            answers_by=request.answers_by,
            metrics=request.metrics,
        )

    @property
    def pays_again(self) -> bool:
        """Whether a repetition may make, or cost, something again."""
        return may_pay_again(self.method, self.path)

    @property
    def is_read_as_it_comes(self) -> bool:
        """Whether its answer may last, so that only the time to its start is limited."""
        return self.streams or self.is_download

    @property
    def accepts_events(self) -> bool:
        """Whether a stream of events can be passed on; a create's also where none was requested."""
        return self.streams or (self.method, self.path) == ("POST", "/responses")

    def encode_body(self, candidate: Candidate) -> bytes:
        """Return the body as this candidate takes it."""
        return self.body if self.body_for is None else self.body_for(candidate.model)


@dataclass(frozen=True)
class UpstreamResponse:
    """A target's response: complete, or a stream whose first event has arrived."""

    target: str
    status: int
    headers: Mapping[str, str]
    body: bytes | UpstreamStream | Download
    fault: GatewayError | None = None  # why the body, of which some was read, is not passed on
    found: Members | None = None  # what was read of it; None if it was not read yet
    # The request that it answers; without one, a repetition is taken for one that may pay again.
    request: UpstreamRequest | None = field(default=None, repr=False, compare=False)

    @property
    def reason(self) -> int | str | None:
        """Its status, or the code of its fault."""
        return self.status if self.fault is None else self.fault.code

    @cached_property
    def members(self) -> Members:
        """The members of a JSON body that are recorded."""
        return read_json(self.content).members if self.found is None else self.found

    @property
    def content(self) -> bytes:
        """The body of a response that does not stream."""
        return self.body if isinstance(self.body, bytes) else b""

    def with_headers(self, headers: Mapping[str, str]) -> "UpstreamResponse":
        # Not `replace`, which takes twice as long.
        added = {**self.headers, **headers}
        return UpstreamResponse(
            self.target, self.status, added, self.body, self.fault, self.found, self.request
        )

    def with_error(
        self, candidate: Candidate, body: bytes, headers: Mapping[str, str]
    ) -> "UpstreamResponse":
        """Add a provider's error in OpenAI's shape, without the account's ids.

        `headers`: all of the provider's.
        """
        if not body.strip():
            return replace(self.with_headers({"content-type": JSON}), body=empty_error(self.status))
        body = candidate.provider.complete_error(self.status, body, headers)
        return replace(self, body=mask_account(body))

    def with_answer(
        self, body: bytes, answer: Answer, fault: GatewayError | None
    ) -> "UpstreamResponse":
        """Add an answer, or what was found in it and why it is not passed on.

        Raise the fault if that is all.
        """
        if answer.is_whole:
            body = mask_failed_response(body, answer.members.get("error"))
            fault = None if body else fault
            return UpstreamResponse(
                self.target, self.status, self.headers, body, fault, answer.members, self.request
            )
        fault = fault or UpstreamFailed("The provider's answer is not a JSON object.")
        found = {**answer.members, "status": None}  # what was cut off decides whether it has ended
        if not (found.get("id") or found.get("usage")):
            raise fault
        return replace(self, body=b"", fault=fault, found=found)

    def reply(self) -> Reply:
        """Pass a file or a complete response on as it is, or say why it cannot be passed on."""
        if self.fault is None:
            body = self.body if isinstance(self.body, Download) else self.content
            return Reply(self.status, self.headers, body)
        pays_again = self.request is None or self.request.pays_again
        headers = {**self.headers, **retry_header(self.fault, pays_again=pays_again)}
        return Reply(self.fault.status, {**headers, "content-type": JSON}, self.fault.body())


type Outcome = UpstreamResponse | GatewayError


def latest_end(request: UpstreamRequest) -> float:
    """Return the time.monotonic() at which an exchange must end, so that the reply ends well."""
    left = request.ends_at - time.monotonic()
    return request.ends_at - min(MARGIN_SECONDS, left / 4)


@dataclass(frozen=True)
class Policy:
    """What follows from one outcome of a request that creates something.

    `charges`: whether the amounts reserved against limits stay counted.
    `frees_key`: whether the Idempotency-Key may be used again at once.
    `should_retry`: the value of `x-should-retry`; None sends none, and SDKs decide by the status.
    """

    processed: Processed
    reason: str
    fails_over: bool = False
    counts_against_circuit: bool = False
    should_retry: bool | None = None

    @property
    def charges(self) -> bool:
        return self.processed != "no"

    @property
    def frees_key(self) -> bool:
        return self.processed == "no"


def _refused_at_once(reason: str) -> Policy:
    return Policy("no", reason, fails_over=True, counts_against_circuit=True)


# Statuses whose meaning differs from their class. SDKs retry 408, 409, 429 and all from 500 on.
STATUSES: Mapping[int, Policy] = {
    UNAUTHORIZED: _refused_at_once("The credential was refused."),
    FORBIDDEN: _refused_at_once("The credential was refused."),
    408: Policy("no", "The server never received the complete request (RFC 9110, 15.5.9)."),
    409: Policy("no", "Another request locks the resource; this one was refused."),
    TOO_MANY_REQUESTS: _refused_at_once("The target limits its rate."),
    499: Policy("unknown", "A proxy saw the connection close while it waited.", should_retry=False),
    SERVICE_UNAVAILABLE: _refused_at_once("The target is overloaded."),
}
SERVER_ERRORS: Mapping[int, str] = {
    500: "The provider failed at some point of its work.",
    501: "Sent by proxies as well, which may have passed the request on before.",
    502: "A proxy got no valid answer from a server that it had passed the request to.",
    504: "A proxy got no answer in time; the server behind it may still be working.",
    520: "Cloudflare: the server answered something unreadable, after it had the request.",
    521: "Cloudflare: connection refused, but a retry inside the proxy may have been accepted.",
    522: "Cloudflare: connection timed out; part of the request may have been received.",
    523: "Cloudflare: server unreachable, possibly after an earlier try inside the proxy.",
    524: "Cloudflare: the server accepted the request and did not answer in time.",
    529: "Overloaded, but not registered: nothing says that the work had not begun.",
}
# What the errors of a stream would have been as statuses.
STREAM_ERRORS = {
    "rate_limit_exceeded": TOO_MANY_REQUESTS,
    "too_many_requests": TOO_MANY_REQUESTS,
    "server_is_overloaded": SERVICE_UNAVAILABLE,
    "slow_down": SERVICE_UNAVAILABLE,
    "server_error": 500,
}
SUCCEEDED = Policy("yes", "The provider processed the request.")
REFUSED = Policy("no", "The provider refused the request before it began.")
MODEL_MISSING = Policy("no", "The target does not have the model.", fails_over=True)
FOREIGN_CONTENT = Policy("no", "Encrypted content of another account.", fails_over=True)


def policy_for_status(status: int) -> Policy:
    """Return the policy for a provider's status, by the status alone."""
    known = STATUSES.get(status)
    if known is not None:
        return known
    if status >= FIRST_SERVER_ERROR:
        reason = SERVER_ERRORS.get(status, "A server error says nothing about the work done.")
        return Policy("unknown", reason, counts_against_circuit=True, should_retry=False)
    return REFUSED if status >= FIRST_ERROR else SUCCEEDED


def policy_for_fault(fault: BaseException) -> Policy:
    """Return the policy for an exception; one that is not the gateway's own explains nothing."""
    if not isinstance(fault, GatewayError):
        return Policy("unknown", "The gateway itself failed.", should_retry=False)
    is_upstream = isinstance(fault, UpstreamFailed)
    return Policy(
        fault.processed,
        str(fault),
        fails_over=fault.processed == "no"
        and (is_upstream or isinstance(fault, CredentialMissing)),
        counts_against_circuit=is_upstream and fault.code not in OWN_ENDS,
        should_retry=fault.retry,
    )


def fault_to_report(fault: GatewayError, *, is_done: bool) -> GatewayError:
    """Return the fault as the caller gets it: what a provider has done must not be done again.

    `is_done`: whether a provider has made what is not idempotent (RFC 9110, 9.2.2: a POST).
    """
    if not is_done or not isinstance(fault, Unavailable) or fault.retry is False:
        return fault
    return LinkNotWritten(
        "The provider has done what was requested, but the gateway could not record it. "
        "Do not send the request again."
    )


def policy_for(outcome: Outcome, candidate: Candidate) -> Policy:
    """Return the policy for one attempt; for 400 and 404 the provider's error body decides."""
    stream = stream_of(outcome)
    if stream is not None and stream.ended_without_output:
        outcome = outcome_at_end(outcome)
    if isinstance(outcome, GatewayError) or outcome.status not in {BAD_REQUEST, NOT_FOUND}:
        return policy_without_body(outcome)
    error = ProviderError.of(outcome.content)
    if outcome.status == BAD_REQUEST:
        if error.refuses_foreign_content:
            return FOREIGN_CONTENT
        return MODEL_MISSING if error.misses_model else REFUSED
    is_about_target = candidate.model is not None and not error.is_about_request
    return MODEL_MISSING if is_about_target else REFUSED


def policy_without_body(outcome: Outcome) -> Policy:
    """Return the policy for an outcome whose error body decides nothing."""
    if isinstance(outcome, GatewayError):
        return policy_for_fault(outcome)
    if outcome.fault is not None:
        return policy_for_fault(outcome.fault)
    return policy_for_status(outcome.status)


def stream_of(outcome: Outcome) -> UpstreamStream | None:
    """Return the stream that an outcome is; None for every other outcome."""
    body = outcome.body if isinstance(outcome, UpstreamResponse) else None
    return body if isinstance(body, UpstreamStream) else None


def outcome_at_end(response: Outcome) -> Outcome:
    """Return what the end of a stream or file says of its target, in the form of a response."""
    if isinstance(response, GatewayError) or isinstance(response.body, bytes):
        return response
    if response.body.fault is not None:
        return response.body.fault
    code = None if isinstance(response.body, Download) else response.body.error_code
    return replace(response, status=STREAM_ERRORS.get(code or "", response.status))


def error_preference(outcome: Outcome) -> int:
    """Rank the errors of all candidates: the lowest is returned to the caller.

    A busy target may serve a retry; an unreachable one may; a missing model is at least the
    caller's own business; a refused credential is not.
    """
    if isinstance(outcome, UpstreamResponse):
        if outcome.status in CREDENTIAL_REFUSED:
            return 3
        if outcome.status in SUCCESS:  # a stream that failed
            return 0
        return 0 if outcome.status in {TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE} else 2
    return 1 if isinstance(outcome, UpstreamNotReached) else 3


def without_longest(headers: Mapping[str, str], size: int) -> dict[str, str]:
    """Return the shortest headers, as many as have this size in bytes; log which are left out."""
    left, passed = size, {}
    for name, value in sorted(headers.items(), key=lambda header: len(header[1])):
        left -= len(name) + len(value)
        if left >= 0:
            passed[name] = value
    logger.warning("headers dropped", extra={"headers": sorted(headers.keys() - passed.keys())})
    return passed


def retry_after(outcome: Outcome) -> float | None:
    """Return the seconds for which a busy target asks not to be called; None without such."""
    if isinstance(outcome, GatewayError):
        return None
    if outcome.status not in {TOO_MANY_REQUESTS, SERVICE_UNAVAILABLE}:
        return None
    seconds = _milliseconds(outcome.headers.get("retry-after-ms", ""))
    if seconds is None:
        seconds = _seconds(outcome.headers.get("retry-after", ""))
    return None if seconds is None or seconds <= 0 else min(seconds, MAX_RETRY_AFTER_SECONDS)


def _milliseconds(text: str) -> float | None:
    return float(text) / 1000 if text.replace(".", "", 1).isdecimal() else None


def _seconds(text: str) -> float | None:
    """RFC 9110, 10.2.3: seconds or a date."""
    if text.replace(".", "", 1).isdecimal():
        return float(text)
    try:
        return parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
