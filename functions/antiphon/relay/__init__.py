"""The only room that talks to providers: a step and a request in, an answer at its first event."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import httpx

from antiphon.errors import InvalidRequest, UpstreamFailed
from antiphon.http import Reply, Request
from antiphon.providers import Address, Step
from antiphon.relay import headers
from antiphon.relay.faults import (
    check_status,
    deadline_reached,
    presentable,
    told,
)
from antiphon.relay.stream import Piece, Stream
from antiphon.relay.watch import Vigil, Watch
from antiphon.settings.config import Gateway
from antiphon.store.secrets import Secrets

__all__ = ["Answer", "Call", "Piece", "Relay", "Stream"]

MARGIN = (
    10.0  # seconds for an orderly end before Lambda stops us; at most a quarter of what is left
)
LONGEST = 900.0  # seconds: Lambda's own limit for one call
EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Answer:
    """What a target answered: whole, or from its first event on."""

    target: str
    status: int
    headers: Mapping[str, str]
    body: bytes | Stream

    @property
    def whole(self) -> bytes:
        """The body of an answer that does not stream."""
        return self.body if isinstance(self.body, bytes) else b""

    def reply(self) -> Reply:
        """Pass a whole answer on as it is."""
        return Reply(self.status, self.headers, self.whole)


@dataclass(frozen=True)
class Call:
    """What is asked of a target; the path below its prefix is ours, never the caller's."""

    path: str
    body: bytes = b""
    streams: bool = False
    patience: float = LONGEST  # seconds until a whole answer must be there


class Relay:
    def __init__(self, client: httpx.Client, secrets: Secrets, gateway: Gateway) -> None:
        self._client = client
        self._secrets = secrets
        self._gateway = gateway
        self._watch = Watch()

    def send(self, step: Step, request: Request, call: Call) -> Answer:
        """Raise UpstreamFailed and its kin while no byte of the answer has been passed on."""
        credential = self._secrets.get(step.target)
        address = step.provider.address(call.path, request.query, credential)
        ends_at = request.ends_at - min(MARGIN, request.seconds_left / 4)
        patience = self._gateway.first_event_seconds if call.streams else call.patience
        response = self._exchange(self._outgoing(address, request, call.body), patience, ends_at)
        vigil = self._begin_vigil(response, min(ends_at, time.monotonic() + call.patience))
        try:
            check_status(response)
            read = self._stream if call.streams and response.is_success else self._whole
            passed = {**headers.to_caller(response), "x-antiphon-target": step.target}
            return Answer(step.target, response.status_code, passed, read(response, vigil))
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
        if response.is_error:
            return presentable(response.status_code, body)
        if response.request.method != "DELETE":  # whose answer nobody reads, and may be empty
            _check_kind(response)
        return body


def _check_kind(response: httpx.Response) -> None:
    kind = response.headers.get("content-type", "nothing")
    if not kind.startswith("application/json"):
        raise UpstreamFailed(f"The provider answered with {kind} in place of JSON.")
