"""What each program does with a client's library: one function a case, one line of JSON at the end.

The programs run in environments of their own, so that they import nothing of the project.
"""

import contextlib
import io
import json
import os
from collections.abc import Callable
from pathlib import Path

BASE = os.environ["ANTIPHON_BASE"]  # a gateway whose models the simulator plays; ends in /v1
COUNTED = os.environ["ANTIPHON_COUNTED"]  # a gateway whose provider counts the requests
KEY = os.environ["ANTIPHON_KEY"]
WRONG_KEY = "sk-unknown-key-123"
WEATHER = {
    "type": "object",
    "properties": {"city": {"type": "string", "enum": ["Oslo"]}},
    "required": ["city"],
    "additionalProperties": False,
}
# Inputs by which the provider of COUNTED chooses what it answers.
LIMITED, FAILING, OVERLOADED = "answer 429", "answer 500", "answer 503 once"

type Case = Callable[[], object]


def describe(call: Callable[[], object]) -> dict[str, str]:
    """What a call raises, as the user of a library sees it."""
    try:
        got = call()
    except Exception as exc:  # noqa: BLE001  which class it is, is what the test compares
        return {"kind": type(exc).__name__, "message": str(exc)}
    return {"kind": "nothing was raised", "message": str(got)}


def run_page() -> list[str]:
    """Runs the code of the client's page in the documentation; returns the lines it prints."""
    code = Path(os.environ["ANTIPHON_PAGE"]).read_text()
    os.environ.update(OPENAI_BASE_URL=BASE, OPENAI_API_KEY=KEY)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "page", "exec"), {})  # noqa: S102  the project's own page
    return printed.getvalue().splitlines()


def report(version: str, cases: dict[str, Case]) -> None:
    """Runs all cases, also behind one that fails, and prints what each returned."""
    results = {}
    page = {"page": run_page} if "ANTIPHON_PAGE" in os.environ else {}
    for name, case in {**cases, **page}.items():
        try:
            results[name] = case()
        except Exception as exc:  # noqa: BLE001  the test shows it as the result of this case
            results[name] = {"raised": f"{type(exc).__name__}: {exc}"}
    print(json.dumps({"version": version, "cases": results}))  # noqa: T201  for the test
