"""/responses: create, and everything that can be done with a response afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Caller
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.idempotency.guard import Idempotency, IdempotencyGuard
from antiphon.limits.admission import Admission, Gate
from antiphon.ownership import Ownership
from antiphon.policies.policies import Policies
from antiphon.recording.recorder import CreateContext, ResponseRecorder
from antiphon.recording.tracker import ResourceOwner, outcome_fields
from antiphon.routing import Route, Routing
from antiphon.schema.create import CreateResponse, ModelRequest, RequestBody
from antiphon.schema.list_queries import check_list_query, is_stream_query
from antiphon.schema.other_bodies import Compact, InputTokens
from antiphon.settings.targets import Capability
from antiphon.store.links import Link
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import SUCCESS, UpstreamRequest, UpstreamResponse


@dataclass(frozen=True, eq=False, repr=False)
class Responses:
    gate: Gate
    ownership: Ownership
    routing: Routing
    upstream: UpstreamClient
    recorder: ResponseRecorder
    admission: Admission
    idempotency: Idempotency
    check_content: Callable[[RequestBody, Caller, Request], None] | None  # None: no guardrail
    policies: Policies | None = None

    def create(self, request: Request) -> Reply:
        caller = self.gate.auth.identify(request)
        body = CreateResponse.parse(request.body)
        _add_model(request, body)
        if self.policies is not None:
            body = self.policies.apply(body, caller, request.body)
        with self.idempotency.guard(request, caller) as guard:
            if guard.earlier is not None:
                self.admission.admit_call(caller, request)
                return self.idempotency.replay(guard.earlier, request, body)
            return guard.record_reply(self._send_create(request, caller, body, guard))

    def _send_create(
        self, request: Request, caller: Caller, body: CreateResponse, guard: IdempotencyGuard
    ) -> Reply:
        needs: Sequence[Capability] = ["background"] if body.background else []
        route = self.routing.route(body, caller, request.headers, *needs)
        upstream = _model_request("/responses", request, body, route, streams=bool(body.stream))
        with self.admission.admit(body, caller, request, route.parent) as reservation:
            if self.check_content is not None:
                self.check_content(body, caller, request)
            on_first = guard.remember_response
            context = CreateContext(request, caller, body, route.parent, reservation, on_first)
            if body.stream and not route.is_pinned and len(route.candidates) > 1:
                abandon = partial(self.recorder.record_abandoned, context)
                upstream = replace(upstream, on_abandoned=abandon)
            response = self.upstream.send(route.candidates, upstream)
            self.ownership.own_turn(caller.tenant, response.headers, response.target)
            reply = self.recorder.record(response, context)
        return reply.with_headers({**reservation.headers, **body.rewrites})

    def retrieve(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        streams = is_stream_query(request.query)
        request.metrics.fields.update(stream=streams)
        path = f"/responses/{link.path_segment}"
        need: Capability = "resume" if streams else "retrieve"
        response = self._send(request, link, path, need, streams=streams)
        return self.recorder.follow(response, link, request.metrics)

    def cancel(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        return self.recorder.follow(
            self._send(request, link, f"/responses/{link.path_segment}/cancel", "background"),
            link,
            request.metrics,
        )

    def delete(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        return self.recorder.mark_deleted(
            self._send(request, link, f"/responses/{link.path_segment}", "delete"), link
        )

    def input_items(self, request: Request, id: str) -> Reply:
        link = self._link(request, id)
        check_list_query(request.query)
        path = f"/responses/{link.path_segment}/input_items"
        response = self._send(request, link, path, "input_items")
        return self.recorder.own_items(response, link)

    def count_input_tokens(self, request: Request) -> Reply:
        caller = self.gate.admit(request)
        body = InputTokens.parse(request.body)
        if self.policies is not None:
            self.policies.check(body, caller, request.body, "other")
        route = self.routing.route(body, caller, request.headers, "input_tokens")
        if self.check_content is not None:
            self.check_content(body, caller, request)
        upstream = _model_request("/responses/input_tokens", request, body, route)
        return self.upstream.send(route.candidates, upstream).reply()

    def compact(self, request: Request) -> Reply:
        caller = self.gate.auth.identify(request)
        body = Compact.parse(request.body)
        _add_model(request, body)
        if self.policies is not None:
            self.policies.check(body, caller, request.body, "other")
        route = self.routing.route(body, caller, request.headers, "compact")
        upstream = _model_request("/responses/compact", request, body, route)
        with self.admission.admit(body, caller, request, route.parent) as reservation:
            if self.check_content is not None:
                self.check_content(body, caller, request)
            response = self.upstream.send(route.candidates, upstream)
            if response.status in SUCCESS:
                members = response.members
                outcome = outcome_fields(members.get("status"), members.get("usage"))
                request.metrics.fields.update(outcome)
            owner = ResourceOwner(request.id, caller, response.target)
            reply = self.recorder.record_compaction(response, owner, body, reservation)
        return reply.with_headers(reservation.headers)

    def _link(self, request: Request, id: str) -> Link:
        caller = self.gate.admit(request)
        link = self.ownership.owned_link("response", caller.tenant, id)
        request.metrics.fields.update(response_id=link.id)
        return link

    def _send(
        self, request: Request, link: Link, path: str, need: Capability, *, streams: bool = False
    ) -> UpstreamResponse:
        upstream = UpstreamRequest.forward(request, path, streams=streams)
        return self.upstream.send(self.routing.candidates_for(link, need), upstream)


def responses_router(responses: Responses, reader: RequestReader) -> Router:
    # Else the first create builds the model: a start has more of a processor than a request.
    CreateResponse.model_rebuild()
    return build_router(
        reader,
        ("POST", "/responses", responses.create),
        ("POST", "/responses/input_tokens", responses.count_input_tokens),
        ("POST", "/responses/compact", responses.compact),
        ("GET", "/responses/<id>", responses.retrieve),
        ("DELETE", "/responses/<id>", responses.delete),
        ("POST", "/responses/<id>/cancel", responses.cancel),
        ("GET", "/responses/<id>/input_items", responses.input_items),
    )


def _add_model(request: Request, body: CreateResponse | Compact) -> None:
    """Add to the log lines which model is requested, and whether as a stream."""
    stream = bool(body.stream) if isinstance(body, CreateResponse) else None
    request.metrics.fields.update(model=body.model, stream=stream)


def _model_request(
    path: str, request: Request, body: ModelRequest, route: Route, *, streams: bool = False
) -> UpstreamRequest:
    """Forward a body with the name that each target has for the model."""
    return replace(
        UpstreamRequest.forward(request, path),
        body_for=partial(body.body_for, request.body),
        follows_new=route.follows_new,
        streams=streams,
    )
