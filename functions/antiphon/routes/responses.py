"""/responses: create, and the rest of a response's life."""

from dataclasses import dataclass
from functools import partial

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Auth, Caller
from antiphon.http import Reply, Request
from antiphon.idempotency import Hold, Idempotency
from antiphon.ledger import Ledger, Origin, Place
from antiphon.limits import Admission
from antiphon.ownership import Ownership
from antiphon.relay import Answer, Call, Relay
from antiphon.routes import queries
from antiphon.routes.traffic import Receiver, routed
from antiphon.routing import Plan
from antiphon.routing import Router as Routing
from antiphon.schema import Compact, Continuing, CreateResponse, InputTokens
from antiphon.store.links import Link


@dataclass(frozen=True)
class Responses:
    auth: Auth
    ownership: Ownership
    routing: Routing
    relay: Relay
    ledger: Ledger
    admission: Admission
    idempotency: Idempotency

    def create(self, request: Request) -> Reply:
        caller = self.auth.identify(request)
        ask = CreateResponse.parse(request.body)
        with self.idempotency.hold(request, caller) as hold:
            if hold.earlier is not None:
                return self.idempotency.replay(hold.earlier, request, ask)
            return hold.settle(self._made(request, caller, ask, hold))

    def _made(self, request: Request, caller: Caller, ask: CreateResponse, hold: Hold) -> Reply:
        plan = self.routing.plan(ask, caller)
        call = Call(
            "/responses",
            spelled=partial(ask.spelled, request.body),
            streams=bool(ask.stream),
            follows_new=plan.follows_new,
        )
        with self.admission.admit(ask, caller, request, plan.parent) as lease:
            origin = Origin(request.id, caller, ask, plan, lease, hold.keep)
            answer = self.relay.send(plan.steps, request, call)
            reply = self.ledger.record(answer, origin)
        return reply.with_headers(**lease.headers, **ask.rewrites)

    def retrieve(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        call = Call(f"/responses/{id}", streams=queries.streams(request.query))
        return self.ledger.follow(self._send(request, link, call), link)

    def cancel(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        call = Call(f"/responses/{id}/cancel", request.body)
        return self.ledger.follow(self._send(request, link, call), link)

    def delete(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        return self.ledger.forget(self._send(request, link, Call(f"/responses/{id}")), link)

    def input_items(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        queries.listing(request.query)
        call = Call(f"/responses/{id}/input_items")
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
            place = Place(request.id, caller, answer.target)
            reply = self.ledger.spend(answer, place, ask.model, lease)
        return reply.with_headers(**lease.headers)

    def _link(self, request: Request, id: str) -> Link:
        caller = self.auth.identify(request)
        return self.ownership.holder("response", caller.tenant, id)

    def _send(self, request: Request, link: Link, call: Call) -> Answer:
        return self.relay.send(self.routing.at(link), request, call)

    def _planned[B: Continuing](self, request: Request, body: type[B]) -> tuple[Caller, B, Plan]:
        caller = self.auth.identify(request)
        ask = body.parse(request.body)
        return caller, ask, self.routing.plan(ask, caller)

    def _call(self, path: str, request: Request, ask: Continuing, plan: Plan) -> Call:
        """One that leaves nothing behind which a later one could name."""
        spelled = partial(ask.spelled, request.body)
        return Call(path, spelled=spelled, follows_new=plan.follows_new)


def router(responses: Responses, receive: Receiver) -> Router:
    return routed(
        receive,
        ("POST", "/responses", responses.create),
        ("POST", "/responses/input_tokens", responses.count),
        ("POST", "/responses/compact", responses.compact),
        ("GET", "/responses/<id>", responses.retrieve),
        ("DELETE", "/responses/<id>", responses.delete),
        ("POST", "/responses/<id>/cancel", responses.cancel),
        ("GET", "/responses/<id>/input_items", responses.input_items),
    )
