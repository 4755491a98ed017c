"""What the answers' headers tell, seen over all that was asked."""

from infra.doctor.finding import Finding, fails, ok
from infra.doctor.session import Session

PRIVATE = ("openai-organization", "openai-project", "set-cookie")
EVERY = "x-antiphon-request-id"
RENAMED = "x-amzn-remapped-"  # what API Gateway makes of headers that it wants for itself
HARMLESS = {"date", "server", "content-length", "connection"}


def private(session: Session) -> Finding:
    shown = {
        f"{name} at {what}" for what, head in session.heads for name in PRIVATE if name in head
    }
    if shown:
        return fails("; ".join(sorted(shown)), "What comes between you and the gateway adds them?")
    return ok(f"none in {len(session.heads)} answers")


def request_ids(session: Session) -> Finding:
    without = [what for what, head in session.heads if EVERY not in head]
    if without:
        more = "Does a proxy take headers away? AWS's own refusals have none at a Function URL."
        return fails(f"{EVERY} is missing at {', '.join(dict.fromkeys(without))}", more)
    return ok(f"{EVERY} in all of {len(session.heads)} answers")


def names(session: Session) -> Finding:
    found = {name for _, head in session.heads for name in head if name.startswith(RENAMED)}
    renamed = {name.removeprefix(RENAMED) for name in found} - HARMLESS
    if renamed:
        return fails(f"API Gateway renames {', '.join(sorted(renamed))}", "SDKs miss them.")
    return ok("no header of ours comes under another name")
