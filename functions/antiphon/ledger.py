"""Reads an answer as it passes and writes down what a later call will need to know.

A response's link is written before the bytes that name it are passed on: nobody holds an id that
is not owned. Status and usage are written when the terminal event has passed.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jiter

from antiphon.auth import Caller
from antiphon.errors import LinkNotWritten, Unavailable, UpstreamFailed
from antiphon.http import Reply
from antiphon.observe import logger
from antiphon.relay import Answer, Piece, Stream
from antiphon.relay.watch import Send
from antiphon.routing import Plan
from antiphon.schema import CreateResponse
from antiphon.store.links import FINAL, Link, Links

DAY = 86_400

type Response = Mapping[str, Any]


@dataclass(frozen=True)
class Origin:
    """Where a response comes from: what its link says before the provider has said anything."""

    request_id: str
    caller: Caller
    ask: CreateResponse
    plan: Plan

    def link(self, answer: Answer, response: Response, expires_at: int) -> Link:
        ask, parent = self.ask, self.plan.parent
        conversation = _conversation(response) or ask.conversation_id
        return Link(
            id=str(response["id"]),
            tenant=self.caller.tenant,
            key_id=self.caller.key_id,
            request_id=self.request_id,
            target=answer.target,
            root=parent.root if parent else conversation or str(response["id"]),
            created_ms=time.time_ns() // 1_000_000,
            expires_at=expires_at,
            model=ask.model,
            upstream_model=_text(response.get("model")),
            previous_response_id=ask.previous_response_id,
            conversation=conversation,
            store=ask.store is not False,
            background=bool(ask.background),
            metadata=dict(ask.metadata or {}),
            **_outcome(response),
        )


class Ledger:
    def __init__(self, links: Links, days: int) -> None:
        self._links = links
        self._days = days

    def record(self, answer: Answer, origin: Origin) -> Reply:
        """Raise LinkNotWritten where the answer's id cannot be owned: then nobody gets it."""
        if isinstance(answer.body, Stream):
            recorded = Recorded(answer.body, _Book(self._links, answer, origin, self._expiry()))
            recorded.open()
            return Reply(answer.status, answer.headers, recorded)
        if answer.status < 300:  # noqa: PLR2004
            book = _Book(self._links, answer, origin, self._expiry())
            book.own(_read(answer.body))
        return Reply(answer.status, answer.headers, answer.body)

    def _expiry(self) -> int:
        return int(time.time()) + self._days * DAY


class _Book:
    """The one link of one answer, from its first mention to its end."""

    def __init__(self, links: Links, answer: Answer, origin: Origin, expires_at: int) -> None:
        self._links = links
        self._answer = answer
        self._origin = origin
        self._expires_at = expires_at
        self._link: Link | None = None
        self._news: Response | None = None  # of the link, not yet written

    def own(self, response: Response) -> None:
        """Write the link at the id's first mention; remember what is said of it later."""
        if self._link is not None:
            self._news = response
            return
        link = self._origin.link(self._answer, response, self._expires_at)
        try:
            self._links.put(link)
        except Unavailable as exc:
            raise LinkNotWritten(
                "The response was started, but the gateway could not record whose it is, "
                "so its id is not given out."
            ) from exc
        self._link = link

    def close(self, ended: str | None) -> None:
        """Write the outcome; the caller has the answer, so a failure here is only logged."""
        link, self._link = self._link, None
        if link is None:
            return
        changes = {} if self._news is None else _outcome(self._news)
        if ended in {None, "error"} and changes.get("status", link.status) not in FINAL:
            changes["unfinished"] = ended or "cut"
        try:
            if changes:
                self._links.change(link, **changes)
        except Unavailable:
            logger.exception("outcome not written", extra={"link": link.id})


class Recorded:
    """A stream's events, passed on with their link written first."""

    def __init__(self, stream: Stream, book: _Book) -> None:
        self._stream = stream
        self._book = book
        self._pieces = iter(stream)
        self._first: Piece | None = None

    def open(self) -> None:
        """Own what the first event names, while the status is still open."""
        try:
            self._first = self._owned(next(self._pieces))
        except BaseException:
            self._stream.close()
            raise

    def attach(self, send: Send) -> None:
        self._stream.attach(send)

    def __iter__(self) -> Iterator[bytes]:
        try:
            if self._first is not None:
                yield self._first.data
            for piece in self._pieces:
                yield self._owned(piece).data
        except LinkNotWritten as fault:
            yield self._stream.ending(fault)
        finally:
            self.close()

    def close(self) -> None:
        self._stream.close()
        self._book.close(self._stream.ended)

    def _owned(self, piece: Piece) -> Piece:
        if piece.response is not None:
            self._book.own(piece.response)
        return piece


def _read(body: bytes) -> Response:
    try:
        response = jiter.from_json(body)
    except ValueError as exc:
        raise UpstreamFailed("The provider's answer is not JSON.") from exc
    if not isinstance(response, dict) or not isinstance(response.get("id"), str):
        raise UpstreamFailed("The provider's answer is not a response: it has no id.")
    return response


def _outcome(response: Response) -> dict[str, Any]:
    status = _text(response.get("status")) or "completed"
    usage = response.get("usage")
    return {
        "status": status,
        "usage": usage if isinstance(usage, dict) else None,
        "completed_at": int(time.time()) if status in FINAL else None,
    }


def _conversation(response: Response) -> str | None:
    given = response.get("conversation")
    return _text(given.get("id") if isinstance(given, dict) else given)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
