"""/batches: creates that a provider makes later, from a file; served where it is enabled.

A batch's file has whole requests, which pass the gateway only here: before a batch is made, every
line is read as if it were a create of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import batched, chain

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.api.resource_members import NotRetrieved
from antiphon.auth import Caller
from antiphon.errors import GatewayError, InvalidRequest, NotFound, PolicyViolation
from antiphon.http import Reply, Request
from antiphon.http_events import RequestReader, build_router
from antiphon.idempotency.guard import Idempotency, IdempotencyGuard
from antiphon.limits.admission import Gate
from antiphon.ownership import Ownership
from antiphon.policies.policies import Policies
from antiphon.recording.resources import ResourceRecorder
from antiphon.recording.tracker import ResourceOwner
from antiphon.resource_routing import ResourceRouting
from antiphon.routing import MODEL_NOT_FOUND
from antiphon.schema.batch_input import FILE, BatchLine, line_error, read_lines
from antiphon.schema.other_bodies import CreateBatch
from antiphon.settings.config import Limits
from antiphon.settings.targets import Target
from antiphon.store.links import Link
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.download import Download
from antiphon.upstream.outcome import SUCCESS, UpstreamRequest

IDS_AT_ONCE = 100  # that one batch read of the table looks up


@dataclass(frozen=True, eq=False, repr=False)
class Batches:
    gate: Gate
    ownership: Ownership
    routing: ResourceRouting
    upstream: UpstreamClient
    recorder: ResourceRecorder
    idempotency: Idempotency
    targets: Mapping[str, Target]
    tenants: Mapping[str, Limits]
    max_line_bytes: int
    is_enabled: bool
    policies: Policies | None = None

    def create(self, request: Request) -> Reply:
        caller = self._admit(request)
        body = CreateBatch.parse(request.body)
        self._check_budget(caller)
        file = self._input_file(caller, body.input_file_id)
        self.routing.candidates_for(file, "batches")  # raises where its target serves none
        self.routing.check_same_target(file, body.references, caller)
        with self.idempotency.guard(request, caller, "batch") as guard:
            if guard.earlier is not None:
                return self.idempotency.replay_resource(guard.earlier, "batch", request)
            return guard.record_reply(self._send_create(request, caller, file, guard))

    def retrieve(self, request: Request, id: str) -> Reply:
        return self._pass_on(request, id, "")

    def cancel(self, request: Request, id: str) -> Reply:
        return self._pass_on(request, id, "/cancel")

    def _send_create(
        self, request: Request, caller: Caller, file: Link, guard: IdempotencyGuard
    ) -> Reply:
        try:
            self._check_file(request, caller, file)
        except NotRetrieved as failed:
            guard.free()
            return failed.response.reply()
        except GatewayError:
            guard.free()
            raise
        candidates = self.routing.candidates_for(file)[:1]
        upstream = UpstreamRequest.forward(request, "/batches")
        response = self.upstream.send(candidates, upstream)
        owner = ResourceOwner(request.id, caller, response.target)
        return self.recorder.record_new("batch", response, owner, guard.remember_response)

    def _pass_on(self, request: Request, id: str, below: str) -> Reply:
        caller = self._admit(request)
        link = self.ownership.owned_link("batch", caller.tenant, id)
        upstream = UpstreamRequest.forward(request, link.path + below)
        response = self.upstream.send(self.routing.candidates_for(link), upstream)
        self.recorder.record_batch(response, link)
        return response.reply()

    def _admit(self, request: Request) -> Caller:
        """Raise NotFound where the gateway serves no batches."""
        caller = self.gate.admit(request)
        if not self.is_enabled:
            raise NotFound(
                "This gateway serves no batches. Its operators can: `enabled = true` in the "
                "section `[batches]` of gateway.toml."
            )
        return caller

    def _check_budget(self, caller: Caller) -> None:
        """Raise InvalidRequest under a budget: what a batch costs is known at its end only."""
        tenant = self.tenants.get(caller.tenant)
        if caller.limits.budget_usd is None and (tenant is None or tenant.budget_usd is None):
            return
        raise InvalidRequest(
            "Batches are not served under a budget: what they cost is known only at their end. "
            "Send the requests one by one.",
            code="batches_not_under_budget",
        )

    def _input_file(self, caller: Caller, id: str) -> Link:
        try:
            return self.ownership.owned_link("file", caller.tenant, id)
        except NotFound as exc:
            raise NotFound(str(exc), param="input_file_id") from exc

    def _check_file(self, request: Request, caller: Caller, file: Link) -> None:
        """Raise the errors that a create with the body of a line would get; call no provider."""
        download = UpstreamRequest(
            "GET",
            f"{file.path}/content",
            is_download=True,
            ends_at=request.ends_at,
            metrics=request.metrics,
        )
        response = self.upstream.send(self.routing.candidates_for(file)[:1], download)
        if response.status not in SUCCESS:
            raise NotRetrieved(response)
        content = response.body
        try:
            chunks = content if isinstance(content, Download) else (response.content,)
            self._check_lines(read_lines(chunks, self.max_line_bytes), caller, file)
        finally:
            if isinstance(content, Download):
                content.close()

    def _check_lines(self, lines: Iterable[BatchLine], caller: Caller, file: Link) -> None:
        target = self.targets[file.target]
        checked = (line for line in lines if self._check_model(line, caller, target))
        references = chain.from_iterable(line.references for line in checked)
        for some in batched(references, IDS_AT_ONCE, strict=False):
            self.routing.check_same_target(file, some, caller)

    def _check_model(self, line: BatchLine, caller: Caller, target: Target) -> bool:
        """Raise InvalidRequest for a model that the caller may not call, or that has another name.

        A model's name in a file cannot be replaced by that of an Azure deployment.
        """
        model = line.body.model
        if model is None:
            raise line_error(line.number, "name a 'model'")
        names = target.public_models(model)
        if not any(caller.may_call(name) for name in names):
            raise line_error(line.number, MODEL_NOT_FOUND.format(model) + _hint(target, model))
        if self.policies is not None:
            self._apply_policies(line, caller, self.policies)
        return True

    def _apply_policies(self, line: BatchLine, caller: Caller, policies: Policies) -> None:
        """Raise PolicyViolation that names the line, whose bytes cannot be changed."""
        try:
            policies.check(line.body, caller, line.content, "batch_line")
        except PolicyViolation as exc:
            param = f"{FILE}: line {line.number}: {exc.param}"
            raise PolicyViolation(f"Line {line.number:,}: {exc}", param=param) from exc


def batches_router(batches: Batches, reader: RequestReader) -> Router:
    return build_router(
        reader,
        ("POST", "/batches", batches.create),
        ("GET", "/batches/<id>", batches.retrieve),
        ("POST", "/batches/<id>/cancel", batches.cancel),
    )


def _hint(target: Target, model: str) -> str:
    own = target.upstream_model(model)
    return f" In a batch, name the deployment: '{own}'" if own not in {None, model} else ""
