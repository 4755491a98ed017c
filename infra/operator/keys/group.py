"""The group `antiphon keys`."""

import click

from infra.operator.keys.creating import create
from infra.operator.keys.ending import revoke, rotate
from infra.operator.keys.listing import list_keys, show


@click.group()
def keys() -> None:
    """Make and end the keys that apps call the gateway with.

    Every command works on a deployed stack with your own AWS credentials, or with --local on the
    gateway that runs on this machine. KEY is a key's id (key_…), a beginning of the id that no
    other key has, or the key itself; give that as - on standard input, since the command line
    stays in the shell's history.
    """


for command in (create, list_keys, show, revoke, rotate):
    keys.add_command(command)
