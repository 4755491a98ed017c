"""A headless Chromium, driven by playwright, and what a page of it requests and logs."""

import shutil
from contextlib import contextmanager

from playwright.sync_api import sync_playwright

# Of this machine: playwright's own browsers would have to be downloaded.
PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
MISSING = "Chromium is not installed: run `apt-get install chromium`."
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) =>
  violations.push(`${e.effectiveDirective} ${e.blockedURI}`));
"""


class WatchedPage:
    """A tab that records its requests, what its console shows, and violations of its policy."""

    def __init__(self, page):
        self.page = page
        self.requests, self.console = [], []
        page.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108  playwright takes no built-in function
        page.on("console", lambda message: self.console.append(message.text))
        page.add_init_script(WATCH)

    @property
    def violations(self):
        return self.page.evaluate("violations")


@contextmanager
def run_browser():
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=PROGRAM, args=["--disable-gpu"])
        try:
            yield browser
        finally:
            browser.close()
