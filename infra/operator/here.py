"""The gateway that runs on this machine now."""

import os

import click

from infra.local import note


def running(port: int | None) -> note.Note:
    notes = [n for n in note.found(note.folder(os.environ)) if port in (None, n.port)]
    serving = [n for n in notes if n.serves]
    if len(serving) == 1:
        return serving[0]
    if serving:
        ports = ", ".join(f"--local-port {n.port}" for n in serving)
        raise click.ClickException(f"Several gateways run on this machine. Name one: {ports}.")
    asked = "" if port is None else f" on port {port}"
    gone = ", ".join(n.url for n in notes)
    ended = f" The one at {gone} was killed, and its keys are gone with it." if gone else ""
    raise click.ClickException(
        f"No gateway runs on this machine{asked}.{ended} Start it with `antiphon local`."
    )
