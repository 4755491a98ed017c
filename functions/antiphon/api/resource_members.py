"""The objects of a list: a file as its row has it, all others as their providers have them now."""

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from antiphon.http import Request
from antiphon.recording.resources import ResourceRecorder
from antiphon.routing import Routing
from antiphon.store.links import Link
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import NOT_FOUND, SUCCESS, UpstreamRequest, UpstreamResponse

CALLS_AT_ONCE = 8  # of providers, for one list
FORWARDED = ("openai-beta", "x-client-request-id")  # headers of a list that its calls have, too


class Member(NamedTuple):
    link: Link
    body: bytes  # the object's JSON


class NotRetrieved(Exception):
    """A provider did not return an object that exists; the caller gets its answer."""

    def __init__(self, response: UpstreamResponse) -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(frozen=True)
class ResourceMembers:
    routing: Routing
    upstream: UpstreamClient
    recorder: ResourceRecorder

    def read(self, request: Request, links: Sequence[Link]) -> list[Member]:
        """Return the objects of links, in their order, without those that are gone.

        Raise NotRetrieved where a provider answers with an error, GatewayError where it does not
        answer.
        """
        if not links or links[0].kind == "file":
            return [Member(link, json.dumps(link.details).encode()) for link in links]
        with ThreadPoolExecutor(min(CALLS_AT_ONCE, len(links))) as pool:
            responses = list(pool.map(partial(self._retrieve, request), links))
        return list(self._existing(links, responses))

    def _retrieve(self, request: Request, link: Link) -> UpstreamResponse:
        upstream = UpstreamRequest(
            "GET",
            link.path,
            headers={n: v for n, v in request.headers.items() if n in FORWARDED},
            ends_at=request.ends_at,
            metrics=request.metrics,
        )
        return self.upstream.send(self.routing.candidates_for(link), upstream)

    def _existing(
        self, links: Sequence[Link], responses: Sequence[UpstreamResponse]
    ) -> Iterator[Member]:
        for link, response in zip(links, responses, strict=True):
            if response.status == NOT_FOUND:
                self.recorder.record_deletion(response, link)
            elif response.status in SUCCESS and response.fault is None:
                yield Member(link, response.content)
            else:
                raise NotRetrieved(response)
