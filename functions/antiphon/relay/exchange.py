"""One request to one target: sent once, and read to its end or to its first event."""

import time
from functools import partial

from antiphon.errors import UpstreamFailed
from antiphon.http import Request
from antiphon.providers import Address, Step
from antiphon.relay import headers
from antiphon.relay.answer import Answer, Call
from antiphon.relay.faults import check_redirect, deadline_reached, presentable, told
from antiphon.relay.stream import Stream
from antiphon.relay.transport import Client, Outgoing, Patience, Response, TransportError
from antiphon.relay.watch import Vigil, Watch
from antiphon.settings.config import Gateway

# Seconds for an orderly end before Lambda stops us; at most a quarter of what is left.
MARGIN = 10.0
EVENTS = "text/event-stream"
SUCCESS, ERROR = range(200, 300), range(400, 600)


class Exchange:
    def __init__(self, client: Client, gateway: Gateway) -> None:
        self._client = client
        self._gateway = gateway
        self._watch = Watch()

    def send(self, step: Step, credential: str, request: Request, call: Call) -> Answer:
        """Raise UpstreamFailed and its kin while no byte of the answer has been passed on."""
        address = step.provider.address(call.path, request.query, credential)
        ends_at = latest_end(request)
        patience = self._gateway.first_event_seconds if call.streams else call.patience
        outgoing = self._outgoing(address, request, call.body_for(step))
        response = self._exchange(outgoing, patience, ends_at)
        vigil = self._begin_vigil(response, min(ends_at, time.monotonic() + call.patience))
        try:
            check_redirect(response)
            read = self._stream if call.streams and response.status in SUCCESS else self._whole
            body = read(response, vigil)
            if isinstance(body, bytes) and response.status in ERROR:
                body = presentable(step, response.status, body)
            passed = headers.to_caller(response)
            return Answer(step.target, response.status, passed, body)
        except BaseException:
            self._close(response, vigil)
            raise

    def _outgoing(self, address: Address, request: Request, body: bytes) -> Outgoing:
        passed = headers.to_provider(request.headers, address.headers)
        if body and "json" not in passed.get("content-type", ""):
            passed["content-type"] = "application/json"  # it is: we have read it
        try:
            return Outgoing.to(address.url, request.method, passed, body)
        except TransportError as exc:
            raise told(exc) from exc

    def _exchange(self, outgoing: Outgoing, patience: float, ends_at: float) -> Response:
        left = ends_at - time.monotonic()
        if left <= 0:
            raise deadline_reached()
        # Behind the head the watch knows better what is too long.
        seconds = Patience(self._gateway.connect_seconds, head=min(left, patience))
        try:
            return self._client.send(outgoing, seconds)
        except TransportError as exc:
            raise told(exc) from exc

    def _begin_vigil(self, response: Response, ends_at: float) -> Vigil:
        vigil = Vigil(response.socket, ends_at)
        self._watch.begin(vigil)
        return vigil

    def _close(self, response: Response, vigil: Vigil) -> None:
        self._watch.end(vigil)
        response.close()

    def _stream(self, response: Response, vigil: Vigil) -> Stream:
        kind = response.headers.get("content-type", "nothing")
        if not kind.startswith(EVENTS):
            raise UpstreamFailed(f"The provider answered a stream request with {kind}.")
        vigil.keep_alive = self._gateway.keep_alive_seconds
        vigil.expect(self._gateway.first_event_seconds)
        stream = Stream(iter(response), vigil, partial(self._close, response, vigil))
        stream.open(patience=self._gateway.idle_seconds)
        return stream

    def _whole(self, response: Response, vigil: Vigil) -> bytes:
        try:
            body = response.read()
        except TransportError as exc:
            raise vigil.fault or told(exc) from exc
        self._close(response, vigil)
        if vigil.fault is not None:  # a body without a length ends cleanly when it is cut
            raise vigil.fault
        # That of a DELETE nobody reads, and it may be empty.
        if response.status in SUCCESS and response.method != "DELETE":
            _check_kind(response)
        return body


def _check_kind(response: Response) -> None:
    kind = response.headers.get("content-type", "nothing")
    if not kind.startswith("application/json"):
        raise UpstreamFailed(f"The provider answered with {kind} in place of JSON.")


def latest_end(request: Request) -> float:
    """When an exchange must have ended, in monotonic seconds, so that ours can end well."""
    return request.ends_at - min(MARGIN, request.seconds_left / 4)
