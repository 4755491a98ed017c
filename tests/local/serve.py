"""`antiphon local` with the tests' function in the gateway's place: serve.py READY_FILE [PORT]."""

import os
import sys
from pathlib import Path

from infra.local.cast import cast
from infra.local.command import serve
from infra.local.keys import LocalKey
from infra.local.session import Plan
from tests.local.rig import TASK

DOCUMENT = {"targets": {"openai": {"provider": "openai", "models": ["gpt-*"]}}}

if __name__ == "__main__":
    plan = Plan(
        keys=[LocalKey("acme", "key-of-acme")],
        cast=cast(DOCUMENT, {"OPENAI_API_KEY": "credential"}),
        scenarios=[],
        env=os.environ,
        port=0,
        rest_port=0,
        concurrency=2,
        functions=TASK,
    )
    serve(plan, Path(sys.argv[1]))
