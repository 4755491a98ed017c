"""The objects of a list: a file as its row has it, all others as their providers have them now.

The row of a file does not have all of it where the file was adopted, is the result of a batch, or
has no size yet.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from antiphon.http import Request
from antiphon.recording.resources import FILE_DETAILS, ResourceRecorder
from antiphon.routing import Routing
from antiphon.store.links import Link
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import NOT_FOUND, SUCCESS, UpstreamRequest, UpstreamResponse

CALLS_AT_ONCE = 8  # of providers, for one list
OPTIONAL = {"expires_at"}  # a file without it does not expire
FORWARDED = ("openai-beta", "x-client-request-id")  # headers of a list that its calls have, too


class Member(NamedTuple):
    link: Link
    body: bytes  # the object's JSON


class NotRetrieved(Exception):
    """A provider did not return an object that exists; the caller gets its answer."""

    def __init__(self, response: UpstreamResponse) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(frozen=True, eq=False, repr=False)
class ResourceMembers:
    routing: Routing
    upstream: UpstreamClient
    recorder: ResourceRecorder

    def read(self, request: Request, links: Sequence[Link]) -> list[Member]:
        """Return the objects of links, in their order, without those that are gone.

        Raise NotRetrieved where a provider answers with an error, GatewayError where it does not
        answer.
        """
        unread = [link for link in links if _stored(link) is None]
        responses = iter(self._retrieve_all(request, unread))
        return [
            Member(link, body)
            for link in links
            if (body := _stored(link) or self._existing(link, next(responses))) is not None
        ]

    def _retrieve_all(self, request: Request, links: Sequence[Link]) -> list[UpstreamResponse]:
        if not links:
            return []
        with ThreadPoolExecutor(min(CALLS_AT_ONCE, len(links))) as pool:
            return list(pool.map(partial(self._retrieve, request), links))

    def _retrieve(self, request: Request, link: Link) -> UpstreamResponse:
        upstream = UpstreamRequest(
            "GET",
            link.path,
            headers={n: v for n, v in request.headers.items() if n in FORWARDED},
            ends_at=request.ends_at,
            metrics=request.metrics,
        )
        return self.upstream.send(self.routing.candidates_for(link), upstream)

    def _existing(self, link: Link, response: UpstreamResponse) -> bytes | None:
        """Return the object's JSON; None if it is gone. Raise NotRetrieved for other failures."""
        if response.status == NOT_FOUND:
            self.recorder.record_deletion(response, link)
            return None
        if response.status in SUCCESS and response.fault is None:
            if link.kind == "batch":
                self.recorder.record_batch(response, link)
            return response.content
        raise NotRetrieved(response)


def _stored(link: Link) -> bytes | None:
    """Return the JSON of a file; None where the row does not have it, or has only a part of it."""
    details = link.details or {}
    is_whole = link.kind == "file" and details.keys() >= set(FILE_DETAILS) - OPTIONAL
    return json.dumps(details).encode() if is_whole else None
