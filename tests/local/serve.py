"""`antiphon local` with the tests' function instead of the gateway's: serve.py READY_FILE."""

import os
import sys
from pathlib import Path

from infra.local import processes
from infra.local.command import serve
from infra.local.options import GatewayOptions, LocalKey
from infra.local.target_setup import build_target_setup
from tests.local.gateway_rig import TASK

DOCUMENT = {"targets": {"openai": {"provider": "openai", "models": ["gpt-*"]}}}

if __name__ == "__main__":
    # A test that sends two signals must not end by time instead.
    processes.TERMINATION_SECONDS = 3600
    options = GatewayOptions(
        keys=[LocalKey("acme", "key-of-acme")],
        setup=build_target_setup(DOCUMENT, {"OPENAI_API_KEY": "credential"}),
        simulated_models=[],
        env=os.environ,
        port=0,
        rest_port=0,
        concurrency=2,
        provisioned=1,
        functions=TASK,
    )
    serve(options, Path(sys.argv[1]))
