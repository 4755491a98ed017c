"""/conversations and their items."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Caller
from antiphon.errors import NotFound
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.limits.admission import Gate
from antiphon.ownership import Ownership
from antiphon.policies.policies import Policies
from antiphon.recording.recorder import ResponseRecorder
from antiphon.recording.tracker import ResourceOwner
from antiphon.routing import Routing
from antiphon.schema.create import RequestBody
from antiphon.schema.list_queries import check_list_query
from antiphon.schema.other_bodies import CreateConversation, CreateItems, UpdateConversation
from antiphon.store.links import BELOW_PATTERN, Link
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest, UpstreamResponse


@dataclass(frozen=True, eq=False, repr=False)
class Conversations:
    gate: Gate
    ownership: Ownership
    routing: Routing
    upstream: UpstreamClient
    recorder: ResponseRecorder
    check_content: Callable[[RequestBody, Caller, Request], None] | None  # None: no guardrail
    policies: Policies | None = None

    def create(self, request: Request) -> Reply:
        caller = self.gate.admit(request)
        body = CreateConversation.parse(request.body or b"{}")  # the body is optional
        self._apply_policies(body, caller, request)
        route = self.routing.route_conversation(body.references, caller)
        if self.check_content is not None:
            self.check_content(body, caller, request)
        upstream = UpstreamRequest.forward(request, "/conversations")
        response = self.upstream.send(route.candidates, upstream)
        owner = ResourceOwner(request.id, caller, response.target)
        return self.recorder.open_conversation(response, owner)

    def retrieve(self, request: Request, id: str) -> Reply:
        _, link = self._owned(request, id)
        return self.recorder.pass_conversation(self._send(request, link), link)

    def update(self, request: Request, id: str) -> Reply:
        caller, link = self._owned(request, id)
        self._check(UpdateConversation.parse(request.body), caller, link)
        return self.recorder.amend_conversation(self._send(request, link), link)

    def delete(self, request: Request, id: str) -> Reply:
        _, link = self._owned(request, id)
        return self.recorder.mark_deleted(self._send(request, link), link)

    def add_items(self, request: Request, id: str) -> Reply:
        caller, link = self._owned(request, id)
        body = CreateItems.parse(request.body)
        self._apply_policies(body, caller, request)
        self._check(body, caller, link)
        if self.check_content is not None:
            self.check_content(body, caller, request)
        return self.recorder.own_items(self._send(request, link, "/items"), link)

    def items(self, request: Request, id: str) -> Reply:
        _, link = self._owned(request, id)
        check_list_query(request.query)
        return self.recorder.own_items(self._send(request, link, "/items"), link)

    def item(self, request: Request, id: str, item_id: str) -> Reply:
        """Retrieve or delete one item; the owner of its conversation owns it."""
        _, link = self._owned(request, id)
        if not BELOW_PATTERN.fullmatch(item_id):
            raise NotFound(f"Item with id '{item_id}' not found.")
        return self._send(request, link, f"/items/{quote(item_id, safe='')}").reply()

    def _owned(self, request: Request, id: str) -> tuple[Caller, Link]:
        caller = self.gate.admit(request)
        return caller, self.ownership.owned_link("conversation", caller.tenant, id)

    def _check(self, body: RequestBody, caller: Caller, link: Link) -> None:
        """Raise for what the caller does not own, or what another target holds."""
        holders = self.ownership.targets(body.references, caller.tenant)
        self.routing.in_account({link.target, *holders}, (), link.id)
        self.routing.check_permitted({link.target}, caller)

    def _apply_policies(self, body: RequestBody, caller: Caller, request: Request) -> None:
        if self.policies is not None:
            self.policies.check(body, caller, request.body, "conversation")

    def _send(self, request: Request, link: Link, path: str = "") -> UpstreamResponse:
        upstream = UpstreamRequest.forward(request, f"/conversations/{link.path_segment}{path}")
        return self.upstream.send(self.routing.candidates_for(link), upstream)


def conversations_router(conversations: Conversations, reader: RequestReader) -> Router:
    return build_router(
        reader,
        ("POST", "/conversations", conversations.create),
        ("GET", "/conversations/<id>", conversations.retrieve),
        ("POST", "/conversations/<id>", conversations.update),
        ("DELETE", "/conversations/<id>", conversations.delete),
        ("POST", "/conversations/<id>/items", conversations.add_items),
        ("GET", "/conversations/<id>/items", conversations.items),
        ("GET", "/conversations/<id>/items/<item_id>", conversations.item),
        ("DELETE", "/conversations/<id>/items/<item_id>", conversations.item),
    )
