"""/files, /uploads, /vector_stores, /containers and /skills, as their providers serve them.

Every call is forwarded to the target that holds the resource. A new resource is made at the target
that `ResourceRouting` selects; whatever a request refers to must be the tenant's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal
from urllib.parse import quote

from aws_lambda_powertools.event_handler.api_gateway import Router

from antiphon.auth import Caller
from antiphon.errors import NotFound
from antiphon.http import Reply, Request
from antiphon.http_events import Endpoint, RequestReader, build_router
from antiphon.idempotency.guard import Idempotency, IdempotencyGuard
from antiphon.limits.admission import Gate
from antiphon.limits.storage import StorageLimits
from antiphon.ownership import Ownership
from antiphon.recording.resources import ResourceRecorder
from antiphon.recording.tracker import ResourceOwner
from antiphon.resource_routing import ResourceRouting
from antiphon.schema.multipart import is_form
from antiphon.schema.other_bodies import body_references
from antiphon.store.links import BELOW_PATTERN, Link, ResourceKind, collection_path
from antiphon.upstream.client import UpstreamClient
from antiphon.upstream.outcome import (
    SUCCESS,
    UpstreamRequest,
    UpstreamResponse,
    policy_for_status,
)

type Action = Literal["read", "change", "delete", "complete", "download", "cancel"]
# What can be done with one resource: method, path below it, and how the gateway treats the call.
ENDPOINTS: Mapping[ResourceKind, Sequence[tuple[str, str, Action]]] = {
    "file": [
        ("GET", "", "read"),
        ("DELETE", "", "delete"),
        ("GET", "/content", "download"),
    ],
    "upload": [
        ("POST", "/parts", "change"),
        ("POST", "/complete", "complete"),
        ("POST", "/cancel", "cancel"),
    ],
    "vector_store": [
        ("GET", "", "read"),
        ("POST", "", "change"),
        ("DELETE", "", "delete"),
        ("POST", "/search", "read"),
        ("GET", "/files", "read"),
        ("POST", "/files", "change"),
        ("GET", "/files/<file_id>", "read"),
        ("POST", "/files/<file_id>", "change"),
        ("DELETE", "/files/<file_id>", "change"),
        ("GET", "/files/<file_id>/content", "read"),
        ("POST", "/file_batches", "change"),
        ("GET", "/file_batches/<batch_id>", "read"),
        ("POST", "/file_batches/<batch_id>/cancel", "change"),
        ("GET", "/file_batches/<batch_id>/files", "read"),
    ],
    "container": [
        ("GET", "", "read"),
        ("DELETE", "", "delete"),
        ("GET", "/files", "read"),
        ("POST", "/files", "change"),
        ("GET", "/files/<file_id>", "read"),
        ("DELETE", "/files/<file_id>", "change"),
        ("GET", "/files/<file_id>/content", "download"),
    ],
    "skill": [
        ("GET", "", "read"),
        ("POST", "", "change"),
        ("DELETE", "", "delete"),
        ("GET", "/content", "download"),
        ("GET", "/versions", "read"),
        ("POST", "/versions", "change"),
        ("GET", "/versions/<version_id>", "read"),
        ("DELETE", "/versions/<version_id>", "change"),
        ("GET", "/versions/<version_id>/content", "download"),
    ],
}

type Row = tuple[str, str, Endpoint]  # method, path and endpoint


@dataclass(frozen=True, eq=False, repr=False)
class Resources:
    gate: Gate
    ownership: Ownership
    routing: ResourceRouting
    upstream: UpstreamClient
    recorder: ResourceRecorder
    idempotency: Idempotency
    storage: StorageLimits

    def create(self, kind: ResourceKind, request: Request) -> Reply:
        caller = self.gate.admit(request)
        with self.idempotency.guard(request, caller, kind) as guard:
            if guard.earlier is not None:
                return self.idempotency.replay_resource(guard.earlier, kind, request)
            return guard.record_reply(self._send_create(kind, request, caller, guard))

    def _send_create(
        self, kind: ResourceKind, request: Request, caller: Caller, guard: IdempotencyGuard
    ) -> Reply:
        references = body_references(request.headers, request.body)
        candidate = self.routing.route(kind, references, caller, request.headers)
        upstream = _forward(request, collection_path(kind))
        with self.storage.admit(kind, caller, request) as reservation:
            response = self.upstream.send([candidate], upstream)
            if not policy_for_status(response.status).charges:
                reservation.release()
        owner = ResourceOwner(request.id, caller, response.target)
        return self.recorder.record_new(kind, response, owner, guard.remember_response)

    def endpoint(self, action: Action, kind: ResourceKind, below: str) -> Endpoint:
        """Return the endpoint for a path below resources of a kind."""
        if action == "delete":
            return partial(self.delete, kind)
        if action == "complete":
            return self.complete_upload
        if action == "cancel":
            return self.cancel_upload
        if action == "change":
            return partial(self.change, kind, below)
        return partial(self.download if action == "download" else self.read, kind, below)

    def delete(self, kind: ResourceKind, request: Request, id: str) -> Reply:
        _, link = self._owned(kind, request, id)
        return self.recorder.record_deletion(self._send(request, link, ""), link)

    def complete_upload(self, request: Request, id: str) -> Reply:
        """Complete an upload, which is a file from then on."""
        caller, link = self._checked("upload", request, id)
        response = self._send(request, link, "/complete")
        owner = ResourceOwner(request.id, caller, response.target)
        return self.recorder.record_completed(response, owner, link)

    def cancel_upload(self, request: Request, id: str) -> Reply:
        caller, link = self._owned("upload", request, id)
        response = self._send(request, link, "/cancel")
        if response.status in SUCCESS:
            self.storage.release(link, caller)
        return response.reply()

    def read(self, kind: ResourceKind, below: str, request: Request, id: str, **ids: str) -> Reply:
        """Pass on a call that changes nothing: what operators share is served as well."""
        caller = self.gate.admit(request)
        link = self.ownership.readable_link(kind, caller.tenant, id)
        if request.method == "POST":  # a search goes there with its query
            self.routing.routing.check_permitted({link.target}, caller)
        return self.recorder.record_use(self._send(request, link, _fill(below, ids)), link)

    def download(
        self, kind: ResourceKind, below: str, request: Request, id: str, **ids: str
    ) -> Reply:
        """Pass on the content of a file as its bytes come."""
        caller = self.gate.admit(request)
        link = self.ownership.readable_link(kind, caller.tenant, id)
        response = self._send(request, link, _fill(below, ids), is_download=True)
        return self.recorder.record_use(response, link)

    def change(
        self, kind: ResourceKind, below: str, request: Request, id: str, **ids: str
    ) -> Reply:
        """Pass on a call that changes an own resource, or what is in it."""
        _, link = self._checked(kind, request, id)
        return self.recorder.record_use(self._send(request, link, _fill(below, ids)), link)

    def _checked(self, kind: ResourceKind, request: Request, id: str) -> tuple[Caller, Link]:
        """Return the link of an own resource, for a call whose body may refer to others."""
        caller, link = self._owned(kind, request, id)
        if request.method == "POST":
            references = body_references(request.headers, request.body)
            self.routing.check_same_target(link, references, caller)
        return caller, link

    def _owned(self, kind: ResourceKind, request: Request, id: str) -> tuple[Caller, Link]:
        caller = self.gate.admit(request)
        return caller, self.ownership.owned_link(kind, caller.tenant, id)

    def _send(
        self, request: Request, link: Link, below: str, *, is_download: bool = False
    ) -> UpstreamResponse:
        upstream = _forward(request, link.path + below, is_download=is_download)
        return self.upstream.send(self.routing.candidates_for(link), upstream)


def resources_router(resources: Resources, reader: RequestReader) -> Router:
    rows: list[Row] = []
    for kind, endpoints in ENDPOINTS.items():
        path = collection_path(kind)
        rows.append(("POST", path, partial(resources.create, kind)))
        rows += [
            (method, f"{path}/<id>{below}", resources.endpoint(action, kind, below))
            for method, below, action in endpoints
        ]
    return build_router(reader, *rows)


def _forward(request: Request, path: str, *, is_download: bool = False) -> UpstreamRequest:
    """Forward a request whose body, if it is a form, passes with its own type."""
    has_form = is_form(request.headers.get("content-type", ""))
    return UpstreamRequest.forward(request, path, is_form=has_form, is_download=is_download)


def _fill(path: str, ids: dict[str, str]) -> str:
    """Return a path below a resource; raise NotFound for an id that no object can have."""
    for name, id in ids.items():
        if not BELOW_PATTERN.fullmatch(id):
            raise NotFound(f"{name.removesuffix('_id').capitalize()} with id '{id}' not found.")
        path = path.replace(f"<{name}>", quote(id, safe=""))
    return path
