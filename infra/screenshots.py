"""`python -m infra.screenshots`: takes the pictures of both pages in docs/images.

Starts a gateway whose targets are simulated, makes what the pictures show, and opens the pages in
the Chromium of this machine. The same code gives nearly the same pictures: ids and times differ.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import openai
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from infra.example_models import EXAMPLE_MODEL
from infra.project import PROJECT

FOLDER = PROJECT / "docs" / "images"
MAX_BYTES = 150_000  # of a picture
KEY = "sk-screenshots-0123456789"
READY_SECONDS = 60.0
DESK, PHONE = ViewportSize(width=1040, height=720), ViewportSize(width=390, height=844)
SMALL = ViewportSize(width=860, height=560)
CONFIG = """
[targets.openai-eu]
provider = "openai"
models = ["gpt-*", "sim-*"]

[tenants.acme]
rpm = 60
tpm = 40_000
budget_usd = 0.5

[prices."gpt-6*"]
input = 0.5
output = 4

[prices."sim-*"]
input = 1
output = 8
"""


@dataclass(frozen=True)
class Picture:
    """A page of the gateway as it is seen, and what a reader has done before."""

    name: str
    path: str
    prepare: Callable[[Page], None]
    scheme: str = "light"
    window: ViewportSize | None = None


@contextmanager
def run_gateway(folder: Path) -> Iterator[str]:
    """Run `antiphon local` with simulated targets; yield its base URL."""
    config, ready = folder / "gateway.toml", folder / "ready.json"
    config.write_text(CONFIG)
    command = [sys.executable, "-m", "infra.cli", "local", "--port", "0", "--rest-port", "0"]
    environment = {"ANTIPHON_LOCAL_KEYS": f"acme={KEY}", "ANTIPHON_LOCAL_NOTES": str(folder)}
    process = subprocess.Popen(  # noqa: S603  our own command
        [*command, "--config", str(config), "--ready-file", str(ready)],
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _wait_for(ready)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait_for(ready: Path) -> str:
    ends_at = time.monotonic() + READY_SECONDS
    while not ready.exists():
        if time.monotonic() > ends_at:
            raise SystemExit("The local gateway did not start.")
        time.sleep(0.2)
    url: str = json.loads(ready.read_text())["url"]
    return url


def make_responses(url: str) -> str:
    """Make a chain with two branches; return the id of its last response."""
    client = openai.OpenAI(base_url=url, api_key=KEY)
    ids: dict[str | None, str] = {}
    turns = [
        (None, "draft", EXAMPLE_MODEL, "Write a title for a page about tides."),
        ("draft", "short", EXAMPLE_MODEL, "Shorter."),
        ("draft", "formal", "sim-reasoning", "More formal."),
        ("formal", "last", EXAMPLE_MODEL, "Now in French."),
    ]
    for parent, name, model, text in turns:
        made = client.responses.create(
            model=model,
            input=text,
            previous_response_id=ids.get(parent, openai.omit),
            metadata={"team": "search"},
        )
        ids[name] = made.id
    return ids["last"]


def enter_key(page: Page) -> None:
    page.get_by_label("Key", exact=True).fill(KEY)
    page.get_by_role("button", name="Use key").click()
    page.wait_for_selector("main:not(:has([aria-busy])) h1")


def send_request(page: Page) -> None:
    enter_key(page)
    page.get_by_label("Input").fill("Name the seven seas.")
    page.get_by_role("button", name="Send").click()
    page.wait_for_selector("text=complete after")
    page.locator(".turn").scroll_into_view_if_needed()


def wait_for_reference(page: Page) -> None:
    page.wait_for_selector("main h2")


def pictures(last_id: str) -> tuple[Picture, ...]:
    tree = f"console#/responses/{last_id}"
    return (
        Picture("console-tree", tree, enter_key),
        Picture("console-tree-dark", tree, enter_key, "dark"),
        Picture("console-limits", "console#/limits", enter_key),
        Picture("console-usage", "console#/usage?of=total_tokens&days=7", enter_key),
        Picture(
            "console-phone",
            f"console#/playground?model={EXAMPLE_MODEL}",
            send_request,
            "dark",
            PHONE,
        ),
        Picture("reference", "docs", wait_for_reference, window=SMALL),
    )


def take(browser: Browser, root: str, picture: Picture) -> Path:
    """Write one picture; raise SystemExit if it is too large for the documentation."""
    file = FOLDER / f"{picture.name}.png"
    window, scheme = picture.window or DESK, picture.scheme
    with browser.new_context(viewport=window, locale="en-GB", timezone_id="UTC") as context:
        page = context.new_page()
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(f"{root}/{picture.path}")
        picture.prepare(page)
        page.mouse.move(0, 0)
        page.screenshot(path=file)
    if file.stat().st_size > MAX_BYTES:
        raise SystemExit(f"{file} has {file.stat().st_size:,} bytes: more than {MAX_BYTES:,}.")
    return file


def main() -> None:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("Chromium is not installed: run `apt-get install chromium`.")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, run_gateway(Path(folder)) as url:
        last_id = make_responses(url)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=program, args=["--disable-gpu"])
            for picture in pictures(last_id):
                file = take(browser, url.removesuffix("/v1"), picture)
                sys.stdout.write(f"{file.relative_to(PROJECT)}: {file.stat().st_size:,} bytes\n")
            browser.close()


if __name__ == "__main__":
    main()
