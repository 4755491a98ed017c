"""One request to one target: sent once, and read to its end or to its first event."""

import time
from functools import partial

import httpx

from antiphon.errors import InvalidRequest, UpstreamFailed
from antiphon.http import Request
from antiphon.providers import Address, Step
from antiphon.relay import headers
from antiphon.relay.answer import Answer, Call
from antiphon.relay.faults import check_redirect, deadline_reached, presentable, told
from antiphon.relay.stream import Stream
from antiphon.relay.watch import Vigil, Watch
from antiphon.settings.config import Gateway

# Seconds for an orderly end before Lambda stops us; at most a quarter of what is left.
MARGIN = 10.0
EVENTS = "text/event-stream"


class Exchange:
    def __init__(self, client: httpx.Client, gateway: Gateway) -> None:
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
            read = self._stream if call.streams and response.is_success else self._whole
            body = read(response, vigil)
            if isinstance(body, bytes) and response.is_error:
                body = presentable(step, response.status_code, body)
            passed = headers.to_caller(response)
            return Answer(step.target, response.status_code, passed, body)
        except BaseException:
            self._close(response, vigil)
            raise

    def _outgoing(self, address: Address, request: Request, body: bytes) -> httpx.Request:
        passed = headers.to_provider(request.headers, address.headers)
        if body and "json" not in passed.get("content-type", ""):
            passed["content-type"] = "application/json"  # it is: we have read it
        try:
            return self._client.build_request(
                request.method, address.url, headers=passed, content=body
            )
        except httpx.InvalidURL as exc:
            raise InvalidRequest("The query of the request cannot be sent on.") from exc

    def _exchange(self, outgoing: httpx.Request, patience: float, ends_at: float) -> httpx.Response:
        left = ends_at - time.monotonic()
        if left <= 0:
            raise deadline_reached()
        timeouts = outgoing.extensions["timeout"]
        timeouts["read"] = min(left, patience)
        try:
            response = self._client.send(outgoing, stream=True)
        except httpx.HTTPError as exc:
            raise told(exc) from exc
        timeouts["read"] = None  # from here on the watch knows better what is too long
        return response

    def _begin_vigil(self, response: httpx.Response, ends_at: float) -> Vigil:
        connection = response.extensions["network_stream"]
        vigil = Vigil(connection.get_extra_info("socket"), ends_at)
        self._watch.begin(vigil)
        return vigil

    def _close(self, response: httpx.Response, vigil: Vigil) -> None:
        self._watch.end(vigil)
        response.close()

    def _stream(self, response: httpx.Response, vigil: Vigil) -> Stream:
        kind = response.headers.get("content-type", "nothing")
        if not kind.startswith(EVENTS):
            raise UpstreamFailed(f"The provider answered a stream request with {kind}.")
        vigil.keep_alive = self._gateway.keep_alive_seconds
        vigil.expect(self._gateway.first_event_seconds)
        stream = Stream(response.iter_bytes(), vigil, partial(self._close, response, vigil))
        stream.open(patience=self._gateway.idle_seconds)
        return stream

    def _whole(self, response: httpx.Response, vigil: Vigil) -> bytes:
        try:
            body = response.read()
        except httpx.HTTPError as exc:
            raise vigil.fault or told(exc) from exc
        finally:
            self._watch.end(vigil)
        if (
            response.is_success and response.request.method != "DELETE"
        ):  # whose answer nobody reads, and may be empty
            _check_kind(response)
        return body


def _check_kind(response: httpx.Response) -> None:
    kind = response.headers.get("content-type", "nothing")
    if not kind.startswith("application/json"):
        raise UpstreamFailed(f"The provider answered with {kind} in place of JSON.")


def latest_end(request: Request) -> float:
    """When an exchange must have ended, in monotonic seconds, so that ours can end well."""
    return request.ends_at - min(MARGIN, request.seconds_left / 4)
