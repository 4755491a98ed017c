"""A headless Chromium, driven by playwright: what a page requests, shows in its console, violates."""

import shutil
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.concurrency import IS_SOAK
from tests.support.lazy import LazyModule

playwright = LazyModule("playwright.sync_api")

# Of this machine: playwright's own browsers would have to be downloaded.
PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(
    PROGRAM is None, reason="Chromium is not installed: run `apt-get install chromium`."
)
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
# Chromium draws popups of its address bar for each window and starts a process for a page that no
# test opens. It takes the last such list, so playwright's own is repeated first.
OFF = (
    *("AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades"),
    *("HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding"),
    *("ThirdPartyStoragePartitioning", "AvoidCorsURLLoaderRestartOnRedirect"),
    *("OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled", "PreconnectToSearch"),
    *("WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "SpareRendererForSitePerProcess"),
)
OPTIONS = ["--disable-gpu", f"--disable-features={','.join(OFF)}"]
# The sizes and colours in which a page is checked; it is left in the last.
LOOKS = {
    "phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
    "dark": {"color_scheme": "dark", "viewport": {"width": 1280, "height": 800}},
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 800}},
}
WATCH = """
window.violations = [];
document.addEventListener("securitypolicyviolation", (e) =>
  violations.push(`${e.effectiveDirective} ${e.blockedURI}`));
"""
# With the same elements at the same places, only the colours can be wrong in another way.
COLOURS = ["color-contrast", "link-in-text-block"]
RULES = {} if IS_SOAK else {"dark": {"runOnly": COLOURS}}
VIOLATIONS = "(rules) => axe.run(rules).then((r) => r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)]))"
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"


class WatchedPage:
    """A tab that records its requests, what its console shows, and its errors."""

    def __init__(self, page):
        self.page = page
        self.requests, self.console = [], []
        page.on("request", lambda request: self.requests.append(request))  # noqa: PLW0108  playwright takes no built-in function
        page.on("console", lambda message: self.console.append(message.text))
        page.on("pageerror", lambda error: self.console.append(str(error)))
        page.add_init_script(WATCH)

    @property
    def violations(self):
        """Violations of the page's Content-Security-Policy."""
        return self.page.evaluate("violations")

    @property
    def hosts(self):
        urls = [urlsplit(request.url) for request in self.requests]
        return {url.netloc for url in urls if url.scheme not in {"data", "blob"}}

    def check(self):
        """Fail after an error, a violation, or a request to another host than the page's."""
        assert self.console == []
        assert self.violations == []
        assert self.hosts == {urlsplit(self.page.url).netloc}

    def forget(self):
        """Let the checks be about what comes from now on."""
        self.requests.clear()
        self.console.clear()
        self.page.evaluate("violations.length = 0")

    def look(self, name):
        self.page.set_viewport_size(LOOKS[name]["viewport"])
        self.page.emulate_media(color_scheme=LOOKS[name]["color_scheme"])

    def check_accessible(self):
        """Fail if axe-core finds something in any look, or if the page is wider than its window."""
        if not AXE.exists():
            pytest.fail("There is no node_modules/axe-core: run `make test`, which installs it.")
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(f"{AXE.read_text()};0")
        for name in LOOKS:
            self.look(name)
            assert self.page.evaluate(VIOLATIONS, RULES.get(name, {})) == [], name
            assert self.page.evaluate(OVERFLOW) <= 0, name


@contextmanager
def run_browser():
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=PROGRAM, args=OPTIONS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser, **options):
    """A page in a profile of its own; `options` as for playwright's `new_context`."""
    with browser.new_context(**options) as context:
        yield WatchedPage(context.new_page())
