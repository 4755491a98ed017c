"""/responses: create, and the rest of a response's life."""

from dataclasses import dataclass
from functools import partial

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Auth, Caller
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.idempotency.guard import Idempotency, IdempotencyGuard
from antiphon.limits.admission import Admission
from antiphon.ownership import Ownership
from antiphon.recording.recorder import CreateContext, ResourceOwner, ResponseRecorder
from antiphon.routing import Route, Routing
from antiphon.schema.create import CreateResponse, ModelRequest
from antiphon.schema.list_queries import check_list_query, is_stream_query
from antiphon.schema.other_bodies import Compact, InputTokens
from antiphon.store.links import Link
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import UpstreamRequest, UpstreamResponse


@dataclass(frozen=True)
class Responses:
    auth: Auth
    ownership: Ownership
    routing: Routing
    relay: UpstreamClient
    ledger: ResponseRecorder
    admission: Admission
    idempotency: Idempotency

    def create(self, request: Request) -> Reply:
        caller = self.auth.identify(request)
        ask = CreateResponse.parse(request.body)
        with self.idempotency.hold(request, caller) as hold:
            if hold.earlier is not None:
                return self.idempotency.replay(hold.earlier, request, ask)
            return hold.settle(self._made(request, caller, ask, hold))

    def _made(
        self, request: Request, caller: Caller, ask: CreateResponse, hold: IdempotencyGuard
    ) -> Reply:
        plan = self.routing.plan(ask, caller)
        call = UpstreamRequest(
            "/responses",
            spelled=partial(ask.spelled, request.body),
            streams=bool(ask.stream),
            follows_new=plan.follows_new,
        )
        with self.admission.admit(ask, caller, request, plan.parent) as lease:
            origin = CreateContext(request.id, caller, ask, plan, lease, hold.keep)
            answer = self.relay.send(plan.steps, request, call)
            reply = self.ledger.record(answer, origin)
        return reply.with_headers(**lease.headers, **ask.rewrites)

    def retrieve(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        call = UpstreamRequest(f"/responses/{id}", streams=is_stream_query(request.query))
        return self.ledger.follow(self._send(request, link, call), link)

    def cancel(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        call = UpstreamRequest(f"/responses/{id}/cancel", request.body)
        return self.ledger.follow(self._send(request, link, call), link)

    def delete(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        return self.ledger.forget(
            self._send(request, link, UpstreamRequest(f"/responses/{id}")), link
        )

    def input_items(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        check_list_query(request.query)
        call = UpstreamRequest(f"/responses/{id}/input_items")
        return self.ledger.own_items(self._send(request, link, call), link)

    def count(self, request: Request) -> Reply:
        _, ask, plan = self._planned(request, InputTokens)
        call = self._call("/responses/input_tokens", request, ask, plan)
        return self.relay.send(plan.steps, request, call).reply()

    def compact(self, request: Request) -> Reply:
        caller, ask, plan = self._planned(request, Compact)
        call = self._call("/responses/compact", request, ask, plan)
        with self.admission.admit(ask, caller, request, plan.parent) as lease:
            answer = self.relay.send(plan.steps, request, call)
            place = ResourceOwner(request.id, caller, answer.target)
            reply = self.ledger.spend(answer, place, ask.model, lease)
        return reply.with_headers(**lease.headers)

    def _link(self, request: Request, id: str) -> Link:
        caller = self.auth.identify(request)
        return self.ownership.holder("response", caller.tenant, id)

    def _send(self, request: Request, link: Link, call: UpstreamRequest) -> UpstreamResponse:
        return self.relay.send(self.routing.at(link), request, call)

    def _planned[B: ModelRequest](self, request: Request, body: type[B]) -> tuple[Caller, B, Route]:
        caller = self.auth.identify(request)
        ask = body.parse(request.body)
        return caller, ask, self.routing.plan(ask, caller)

    def _call(self, path: str, request: Request, ask: ModelRequest, plan: Route) -> UpstreamRequest:
        """One that leaves nothing behind which a later one could name."""
        spelled = partial(ask.spelled, request.body)
        return UpstreamRequest(path, spelled=spelled, follows_new=plan.follows_new)


def router(responses: Responses, receive: RequestReader) -> Router:
    return build_router(
        receive,
        ("POST", "/responses", responses.create),
        ("POST", "/responses/input_tokens", responses.count),
        ("POST", "/responses/compact", responses.compact),
        ("GET", "/responses/<id>", responses.retrieve),
        ("DELETE", "/responses/<id>", responses.delete),
        ("POST", "/responses/<id>/cancel", responses.cancel),
        ("GET", "/responses/<id>/input_items", responses.input_items),
    )
