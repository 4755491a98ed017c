"""What the stack would have made in AWS, and what an operator would have put into it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

REGION = "us-east-1"
TABLE = "antiphon-local"
SECRET_PREFIX = "antiphon-local"  # noqa: S105  the name of secrets, not one of them
ACCOUNT = "123456789012"  # moto's own
QUEUE = "antiphon-local"
DEAD_LETTERS = "antiphon-local-dead-letters"
ANYBODY = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


@dataclass(frozen=True)
class Things:
    keys: list[tuple[str, str]]  # key, tenant
    secrets: Mapping[str, str]  # by target

    def line(self) -> bytes:
        return json.dumps(asdict(self)).encode() + b"\n"


def queue_url(endpoint: str, name: str = QUEUE) -> str:
    return f"{endpoint}/{ACCOUNT}/{name}"
