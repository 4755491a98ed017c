"""/responses: create; the rest of a response's life is to follow."""

from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Auth
from antiphon.http import Reply, Request
from antiphon.ledger import Ledger, Origin
from antiphon.relay import Call, Relay
from antiphon.routes.traffic import Receiver, answered
from antiphon.routing import Router as Routing
from antiphon.schema import CreateResponse


@dataclass(frozen=True)
class Responses:
    auth: Auth
    routing: Routing
    relay: Relay
    ledger: Ledger

    def create(self, request: Request) -> Reply:
        caller = self.auth.identify(request)
        ask = CreateResponse.parse(request.body)
        plan = self.routing.plan(ask, caller)
        step = plan.steps[0]
        call = Call("/responses", ask.spelled(request.body, step.model), streams=bool(ask.stream))
        answer = self.relay.send(step, request, call)
        reply = self.ledger.record(answer, Origin(request.id, caller, ask, plan))
        return reply.with_headers(**ask.rewrites)


def router(responses: Responses, receive: Receiver) -> Router:
    routes = Router()

    @routes.post("/responses")
    def create() -> Response[Any]:
        return answered(responses.create(receive(routes)))

    return routes
