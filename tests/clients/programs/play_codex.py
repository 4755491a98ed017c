"""The Codex CLI: `codex exec` with a provider of its own in config.toml."""

import json
import os
import subprocess
from pathlib import Path

from cases import BASE, COUNTED, FAILING, KEY, LIMITED, OVERLOADED, WEATHER, WRONG_KEY, report

CODEX = os.environ["ANTIPHON_CODEX"]
HOME = Path.cwd()  # a folder of this run
CONFIG = """
model = "sim-text"
model_provider = "antiphon"
check_for_update_on_startup = false

[model_providers.antiphon]
name = "Antiphon"
base_url = "{base}"
wire_api = "responses"
env_key = "ANTIPHON_KEY"
request_max_retries = 0  # Codex does not read x-should-retry: each retry of its is a new request
stream_max_retries = 0
"""


def execute(*arguments, base=BASE, key=KEY):
    """The events that `codex exec --json` prints."""
    (HOME / "config.toml").write_text(CONFIG.format(base=base))
    done = subprocess.run(
        [CODEX, "exec", *arguments, "--json", "--skip-git-repo-check"],
        env={"PATH": os.environ["PATH"], "HOME": str(HOME), "CODEX_HOME": str(HOME)}
        | {"ANTIPHON_KEY": key},
        cwd=HOME,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def answer(*arguments, **more):
    """The text of its last message."""
    items = [event["item"] for event in execute(*arguments, **more) if "item" in event]
    return [item["text"] for item in items if item["type"] == "agent_message"][-1]


def fail(*arguments, **more):
    event = execute(*arguments, **more)[-1]
    return {"kind": event["type"], "message": event.get("error", {}).get("message")}


def create():
    return answer("Hello").partition(" (")[0]


def tools():
    return answer("-m", "sim-function-call", "Hello").partition(":")[0]


def structured():
    schema = HOME / "schema.json"
    schema.write_text(json.dumps(WEATHER))
    return json.loads(answer("--output-schema", str(schema), "Where?")) == {"city": "Oslo"}


def resent():
    """The answer up to the sentence about the web search that Codex offers."""
    execute("one")
    return answer("resume", "--last", "two").partition(" The web has")[0]


def errors():
    return {
        "400": fail("-m", "sim-400", "x"),
        "401": fail("x", key=WRONG_KEY),
        "404": fail("-m", "nobody-has-it", "x"),
        "429": fail("-m", "gpt-5", LIMITED, base=COUNTED),
    }


def retries():
    return {
        "500": fail("-m", "gpt-5", FAILING, base=COUNTED)["kind"],
        "503": fail("-m", "gpt-5", OVERLOADED, base=COUNTED)["kind"],
    }


version = subprocess.run([CODEX, "--version"], capture_output=True, text=True, check=True).stdout
CASES = (create, tools, structured, resent, errors, retries)
report(version.split()[-1], {case.__name__: case for case in CASES})
