"""The gateway's own reads: what the tenant has started, and how it hangs together."""

from collections.abc import Mapping
from dataclasses import dataclass

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Auth, Caller
from antiphon.errors import NotFound, UpgradeRequired
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.ownership import Ownership
from antiphon.schema.links import ConversationLink, Lineage, LinkList, ResponseLink
from antiphon.schema.list_queries import ConversationsQuery, LineageQuery, ResponsesQuery
from antiphon.store.links import Kind, Link
from antiphon.store.listings import LinkListing, LinkQuery, Page

OBJECTS: Mapping[Kind, type[ResponseLink | ConversationLink]] = {
    "response": ResponseLink,
    "conversation": ConversationLink,
}
LIST_HEADERS = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-antiphon-consistency": "eventual",  # what was written this second may be missing still
}


@dataclass(frozen=True)
class Listings:
    auth: Auth
    ownership: Ownership
    listing: LinkListing

    def responses(self, request: Request) -> Reply:
        _refuse_websocket(request)
        return self._list("response", request, ResponsesQuery)

    def conversations(self, request: Request) -> Reply:
        return self._list("conversation", request, ConversationsQuery)

    def lineage(self, request: Request, id: str) -> Reply:
        caller = self.auth.identify(request)
        link = self.ownership.holder("response", caller.tenant, id)
        query = LineageQuery.parse(request.query)
        after = self._last_seen(caller, query.after, "response", "conversation")
        if after is not None and after.root != link.root:
            raise _not_found_after("response", after.id)
        asked = LinkQuery(limit=query.limit, newest_first=query.order == "desc", after=after)
        page = self.listing.tree(link, asked)
        return _list_reply(Lineage(root=link.root, **_page_fields(page)))

    def _list(self, kind: Kind, request: Request, query: type[ConversationsQuery]) -> Reply:
        caller = self.auth.identify(request)
        given = query.parse(request.query).model_dump()
        after = self._last_seen(caller, given.pop("after"), kind)
        newest_first = given.pop("order") == "desc"
        asked = LinkQuery(newest_first=newest_first, after=after, **given)
        return _list_reply(LinkList(**_page_fields(self.listing.page(kind, caller.tenant, asked))))

    def _last_seen(self, caller: Caller, id: str | None, *kinds: Kind) -> Link | None:
        """The link a page begins after; raise NotFound for one that the tenant cannot see."""
        if id is None:
            return None
        for kind in kinds:
            try:
                return self.ownership.holder(kind, caller.tenant, id)
            except NotFound:
                continue
        raise _not_found_after(kinds[0], id)


def router(lists: Listings, receive: RequestReader) -> Router:
    return build_router(
        receive,
        ("GET", "/responses", lists.responses),
        ("GET", "/responses/<id>/lineage", lists.lineage),
        ("GET", "/conversations", lists.conversations),
    )


def _refuse_websocket(request: Request) -> None:
    """A door may drop `upgrade`, as a header of one connection; the key comes through."""
    wanted = request.headers.get("upgrade", "").lower()
    if wanted == "websocket" or "sec-websocket-key" in request.headers:
        raise UpgradeRequired(
            "The gateway serves no WebSockets. Send POST /responses over HTTP, with "
            "'stream': true for server-sent events."
        )


def _not_found_after(kind: Kind, id: str) -> NotFound:
    return NotFound(f"{kind.capitalize()} with id '{id}' not found.", param="after")


def _page_fields(page: Page) -> dict[str, object]:
    data = [OBJECTS[link.kind].model_validate(link) for link in page.links]
    first_id = data[0].id if data else None
    return {"data": data, "first_id": first_id, "last_id": page.last_id, "has_more": page.has_more}


def _list_reply(page: LinkList) -> Reply:
    return Reply(200, LIST_HEADERS, page.model_dump_json().encode())
