"""Lists of files, vector stores and the like, from the gateway's own rows.

A provider's list has the objects of all tenants that share a target.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.api.listing import LIST_HEADERS
from antiphon.api.resource_members import Member, NotRetrieved, ResourceMembers
from antiphon.errors import InvalidRequest, NotFound
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.limits.admission import Gate
from antiphon.ownership import not_found_message
from antiphon.schema.list_queries import ContainersQuery, FilesQuery, ResourcesQuery
from antiphon.store.links import Link, Links, ResourceKind, collection_path
from antiphon.store.listings import LinkListing, LinkQuery

QUERIES: Mapping[ResourceKind, type[ResourcesQuery]] = {
    "file": FilesQuery,
    "vector_store": ResourcesQuery,
    "container": ContainersQuery,
    "skill": ResourcesQuery,
    "batch": ResourcesQuery,
}


@dataclass(frozen=True, eq=False, repr=False)
class ResourceLists:
    gate: Gate
    links: Links
    listing: LinkListing
    members: ResourceMembers

    def list_own(self, kind: ResourceKind, request: Request) -> Reply:
        """List the tenant's own objects; an object that is gone is left out."""
        tenant = self.gate.admit(request).tenant
        query = QUERIES[kind].parse(request.query)
        after, before = query.after, query.before
        if after is not None and before is not None:
            message = "Give only one of 'after' and 'before'."
            raise InvalidRequest(message, param="before", code="mutually_exclusive_parameters")
        link_query = LinkQuery(
            limit=query.limit,
            newest_first=(query.order == "desc") == (before is None),
            after=self._cursor(kind, tenant, after, "after")
            or self._cursor(kind, tenant, before, "before"),
            details=query.details,
        )
        try:
            members, has_more = self._read(kind, tenant, request, link_query)
        except NotRetrieved as failed:
            return failed.response.reply()
        return _list_reply(members if before is None else members[::-1], has_more=has_more)

    def _read(
        self, kind: ResourceKind, tenant: str, request: Request, query: LinkQuery
    ) -> tuple[list[Member], bool]:
        """Return the members of a page in the order of the query, and whether more follow."""
        members: list[Member] = []
        limit = query.limit
        while True:
            page = self.listing.page(kind, tenant, query)
            members += self.members.read(request, page.links)
            is_full = len(members) == limit
            if is_full or not (page.has_more and page.links):
                return members, page.has_more
            query = replace(query, after=page.links[-1], limit=limit - len(members))

    def _cursor(self, kind: ResourceKind, tenant: str, id: str | None, param: str) -> Link | None:
        """Return the link of a cursor, which may have been deleted since its page was read."""
        if id is None:
            return None
        link = self.links.find(kind, tenant, id)
        if link is None:
            raise NotFound(not_found_message(kind, id), param=param)
        return link


def lists_router(lists: ResourceLists, reader: RequestReader) -> Router:
    return build_router(
        reader,
        *(("GET", collection_path(kind), partial(lists.list_own, kind)) for kind in QUERIES),
    )


def _list_reply(members: Sequence[Member], *, has_more: bool) -> Reply:
    """Return a list whose members are their providers' own bytes."""
    ids = [member.link.id for member in members]
    ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    rest = json.dumps({**ends, "has_more": has_more}).encode()
    data = b",".join(member.body for member in members)
    body = b'{"object":"list","data":[%b],%b' % (data, rest[1:])
    return Reply(200, LIST_HEADERS, body)
