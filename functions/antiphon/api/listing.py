"""The gateway's own lists: a tenant's responses and conversations, and lineages of responses."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Caller
from antiphon.errors import NotFound, UpgradeRequired
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.limits.admission import Gate
from antiphon.ownership import Ownership
from antiphon.pricing import CostEstimator, to_dollars
from antiphon.schema.links import ConversationLink, Lineage, LinkList, LinkModel, ResponseLink
from antiphon.schema.list_queries import ConversationsQuery, LineageQuery, ResponsesQuery
from antiphon.store.links import Kind, Link
from antiphon.store.listings import LinkListing, LinkQuery, Page

LINK_MODELS: Mapping[Kind, type[ResponseLink | ConversationLink]] = {
    "response": ResponseLink,
    "conversation": ConversationLink,
}
LIST_HEADERS = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-antiphon-consistency": "eventual",  # what was written within the last second may be missing
}


@dataclass(frozen=True, eq=False, repr=False)
class Listings:
    """Endpoints that read links of the caller's tenant and call no provider."""

    gate: Gate
    ownership: Ownership
    listing: LinkListing
    costs: CostEstimator

    def responses(self, request: Request) -> Reply:
        _refuse_websocket(request)
        return self._list("response", request, ResponsesQuery)

    def conversations(self, request: Request) -> Reply:
        return self._list("conversation", request, ConversationsQuery)

    def lineage(self, kind: Kind, request: Request, id: str) -> Reply:
        """List the whole tree that a response or a conversation belongs to."""
        caller = self.gate.admit(request)
        link = self.ownership.owned_link(kind, caller.tenant, id)
        query = LineageQuery.parse(request.query)
        after = self._page_start(caller, query.after, "response", "conversation")
        if after is not None and after.root != link.root:
            raise _start_not_found("response", after.id)
        link_query = LinkQuery(limit=query.limit, newest_first=query.order == "desc", after=after)
        page = self.listing.tree(link, link_query)
        return _list_reply(Lineage(root=link.root, **self._page_fields(page)))

    def _list(self, kind: Kind, request: Request, model: type[ConversationsQuery]) -> Reply:
        caller = self.gate.admit(request)
        parameters = model.parse(request.query).model_dump()
        after = self._page_start(caller, parameters.pop("after"), kind)
        newest_first = parameters.pop("order") == "desc"
        link_query = LinkQuery(newest_first=newest_first, after=after, **parameters)
        page = self.listing.page(kind, caller.tenant, link_query)
        return _list_reply(LinkList(**self._page_fields(page)))

    def _page_start(self, caller: Caller, id: str | None, *kinds: Kind) -> Link | None:
        """Return the link that `after` names; raise NotFound if the tenant does not own it."""
        if id is None:
            return None
        for kind in kinds:
            try:
                return self.ownership.owned_link(kind, caller.tenant, id)
            except NotFound:
                continue
        raise _start_not_found(kinds[0], id)

    def _page_fields(self, page: Page) -> dict[str, object]:
        data = [self._to_model(link) for link in page.links]
        first_id = data[0].id if data else None
        more = {"last_id": page.last_id, "has_more": page.has_more}
        return {"data": data, "first_id": first_id, **more}

    def _to_model(self, link: Link) -> LinkModel:
        model = LINK_MODELS[link.kind].model_validate(link)
        cost = self.costs.cost(link)
        return model if cost is None else model.model_copy(update={"cost_usd": to_dollars(cost)})


def listing_router(listings: Listings, reader: RequestReader) -> Router:
    return build_router(
        reader,
        ("GET", "/responses", listings.responses),
        ("GET", "/responses/<id>/lineage", partial(listings.lineage, "response")),
        ("GET", "/conversations", listings.conversations),
        ("GET", "/conversations/<id>/lineage", partial(listings.lineage, "conversation")),
    )


def _refuse_websocket(request: Request) -> None:
    """Raise UpgradeRequired for a WebSocket handshake.

    AWS may remove `upgrade`, a header of the connection, but passes `sec-websocket-key`.
    """
    protocol = request.headers.get("upgrade", "").lower()
    if protocol == "websocket" or "sec-websocket-key" in request.headers:
        raise UpgradeRequired(
            "The gateway does not serve WebSockets. Send POST /responses over HTTP, with "
            "'stream': true for server-sent events."
        )


def _start_not_found(kind: Kind, id: str) -> NotFound:
    return NotFound(f"{kind.capitalize()} with id '{id}' not found.", param="after")


def _list_reply(page: LinkList) -> Reply:
    return Reply(200, LIST_HEADERS, page.model_dump_json().encode())
