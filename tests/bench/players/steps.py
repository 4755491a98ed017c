"""`_HANDLER=tests.bench.players.steps.handler`: functions/api.py, and what each step of a call spends.

The medians are written to the file that STEPS_FILE names when the process ends.
"""

import atexit
import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.bench.ledger import STEPS, Ledger, watch

LEDGER = Ledger()
import_module("antiphon.wiring")  # which imports all that is watched, and binds no name of it
watch(LEDGER, STEPS)
atexit.register(lambda: Path(os.environ["STEPS_FILE"]).write_text(json.dumps(LEDGER.medians())))
api = import_module("api")


def handler(event: Any, context: Any) -> Any:
    LEDGER.next_call()
    return api.handler(event, context)
