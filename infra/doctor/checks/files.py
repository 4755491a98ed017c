"""The check of files: one is uploaded, retrieved and deleted; it costs no tokens."""

from http import HTTPStatus

from infra.doctor.findings import NOT_SUPPORTED, Finding, advise_on_response, fails, ok, skipped
from infra.doctor.responses import ApiResponse
from infra.doctor.session import Session

NAME, CONTENT = "antiphon-doctor.txt", b"A file of antiphon doctor. It can be deleted.\n"
LEFT = "Delete the file {} at the provider; the gateway returned an error for that."


def check_file(session: Session) -> Finding:
    uploaded = session.upload(NAME, CONTENT)
    if uploaded.error.get("code") == NOT_SUPPORTED:
        return skipped(uploaded.summary, "In gateway.toml, no target has files = true.")
    if not uploaded.is_ok or not uploaded.json.get("id"):
        return fails(f"upload: {uploaded.summary}", advise_on_response(uploaded))
    id = str(uploaded.json["id"])
    retrieved = session.send("GET", f"/files/{id}")
    if retrieved.json.get("bytes") != len(CONTENT):
        return fails(f"retrieve: {retrieved.summary}", advise_on_response(retrieved))
    return _check_deletion(session, id, uploaded)


def _check_deletion(session: Session, id: str, uploaded: ApiResponse) -> Finding:
    path = f"/files/{id}"
    deleted = session.send("DELETE", path)
    if not deleted.is_ok:
        advice = advise_on_response(deleted) or LEFT.format(id)
        return fails(f"delete: {deleted.summary}", advice)
    session.created.remove(path)
    after = session.send("GET", path)
    if after.status != HTTPStatus.NOT_FOUND:
        return fails(f"deleted, and then {after.summary}", LEFT.format(id))
    target = uploaded.headers.get("x-antiphon-target")
    return ok(f"{len(CONTENT)} bytes uploaded to {target} and deleted, and then 404")
