"""/conversations and their items."""

from dataclasses import dataclass

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Auth, Caller
from antiphon.errors import NotFound
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.ownership import ID_PATTERN, Ownership
from antiphon.recording.recorder import ResourceOwner, ResponseRecorder
from antiphon.routing import Routing
from antiphon.schema.list_queries import check_list_query
from antiphon.schema.other_bodies import CreateConversation, CreateItems, UpdateConversation
from antiphon.store.links import Link
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest, UpstreamResponse


@dataclass(frozen=True)
class Conversations:
    auth: Auth
    ownership: Ownership
    routing: Routing
    relay: UpstreamClient
    ledger: ResponseRecorder

    def create(self, request: Request) -> Reply:
        caller = self.auth.identify(request)
        ask = CreateConversation.parse(request.body or b"{}")  # the body is optional
        steps = self.routing.plan_conversation(ask.references, caller).steps
        answer = self.relay.send(steps, request, UpstreamRequest("/conversations", request.body))
        return self.ledger.open_conversation(
            answer, ResourceOwner(request.id, caller, answer.target)
        )

    def retrieve(self, request: Request, id: str) -> Reply:
        _, link = self._owned(request, id)
        return self._send(request, link, UpstreamRequest(f"/conversations/{id}")).reply()

    def update(self, request: Request, id: str) -> Reply:
        _, link = self._owned(request, id)
        UpdateConversation.parse(request.body)
        answer = self._send(request, link, UpstreamRequest(f"/conversations/{id}", request.body))
        return self.ledger.amend_conversation(answer, link)

    def delete(self, request: Request, id: str) -> Reply:
        _, link = self._owned(request, id)
        return self.ledger.forget(
            self._send(request, link, UpstreamRequest(f"/conversations/{id}")), link
        )

    def add_items(self, request: Request, id: str) -> Reply:
        caller, link = self._owned(request, id)
        self.ownership.targets(CreateItems.parse(request.body).references, caller.tenant)
        answer = self._send(
            request, link, UpstreamRequest(f"/conversations/{id}/items", request.body)
        )
        return self.ledger.own_items(answer, link)

    def items(self, request: Request, id: str) -> Reply:
        _, link = self._owned(request, id)
        check_list_query(request.query)
        answer = self._send(request, link, UpstreamRequest(f"/conversations/{id}/items"))
        return self.ledger.own_items(answer, link)

    def item(self, request: Request, id: str, item_id: str) -> Reply:
        """Retrieve or delete one item; it is the conversation's, so it is its owner's."""
        _, link = self._owned(request, id)
        if not ID_PATTERN.fullmatch(item_id):
            raise NotFound(f"Item with id '{item_id}' not found.")
        return self._send(
            request, link, UpstreamRequest(f"/conversations/{id}/items/{item_id}")
        ).reply()

    def _owned(self, request: Request, id: str) -> tuple[Caller, Link]:
        caller = self.auth.identify(request)
        return caller, self.ownership.holder("conversation", caller.tenant, id)

    def _send(self, request: Request, link: Link, call: UpstreamRequest) -> UpstreamResponse:
        return self.relay.send(self.routing.at(link), request, call)


def router(conversations: Conversations, receive: RequestReader) -> Router:
    return build_router(
        receive,
        ("POST", "/conversations", conversations.create),
        ("GET", "/conversations/<id>", conversations.retrieve),
        ("POST", "/conversations/<id>", conversations.update),
        ("DELETE", "/conversations/<id>", conversations.delete),
        ("POST", "/conversations/<id>/items", conversations.add_items),
        ("GET", "/conversations/<id>/items", conversations.items),
        ("GET", "/conversations/<id>/items/<item_id>", conversations.item),
        ("DELETE", "/conversations/<id>/items/<item_id>", conversations.item),
    )
