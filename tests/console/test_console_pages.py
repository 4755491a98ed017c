"""/console, its files and the index, as both doors serve them."""

import gzip
import re
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from antiphon.http_events import PREFIXES
from antiphon.settings.reference import CONSOLE_FILES, CONSOLE_FOLDER

FOLDER = Path(__file__).parents[2] / "functions" / CONSOLE_FOLDER
SCRIPTS = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.js")}
LINK = re.compile(r'(?:href|src)="(console/[^"]+)"')
IMPORT = re.compile(r'from "\./([^"]+)"')
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacent|document\.write|DOMParser|\beval\b|Function\("
)
MAX_LINES = 350
MAX_BYTES = 40_000  # of all, compressed
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def root(played, door):
    return played.base(door).removesuffix("/v1")


@pytest.fixture(params=["", *PREFIXES])
def place(root, request):
    return root + request.param


@pytest.fixture
def anyone():
    with httpx.Client(timeout=60, trust_env=False) as client:
        yield client


def test_the_page_and_its_files_come_from_here(place, root, anyone):
    page = anyone.get(f"{place}/console")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"
    (main,) = [link for link in LINK.findall(page.text) if link.endswith("/main.js")]
    for name in CONSOLE_FILES:
        answer = anyone.get(urljoin(str(page.url), main.replace("main.js", name)))
        assert (answer.status_code, name) == (200, name)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    api = re.search('data-api="([^"]+)"', page.text)[1]
    models = urljoin(urljoin(str(page.url), api), "models")
    prefix = place.removeprefix(root) or "/v1"
    assert models == f"{root}{prefix}/models"


def test_the_page_may_do_no_more_than_it_must(root, anyone):
    page = anyone.get(f"{root}/console")
    policy = dict(
        rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; ")
    )
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    assert "//" not in page.text
    assert not re.search(r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=", page.text)


@pytest.mark.parametrize(
    "path",
    ["console/0000000000000000/main.js", "console/{}/console.html", "console/{}/..%2fconsole.html"],
)
def test_there_is_nothing_else_to_be_had(root, anyone, path):
    version = LINK.search(anyone.get(f"{root}/console").text)[1].split("/")[1]
    assert anyone.get(f"{root}/{path.format(version)}").status_code == 404


def test_a_slash_too_many_leads_to_the_page(place, anyone):
    answer = anyone.get(f"{place}/console/")
    assert answer.status_code == 308
    assert urljoin(str(answer.url), answer.headers["location"]) == f"{place}/console"


def test_a_browser_finds_the_pages_from_the_index(root, anyone):
    """A client that lacks the prefix gets the error that says so."""
    index = anyone.get(f"{root}/", headers=BROWSER)
    assert (index.status_code, index.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert re.findall('<a href="([^"]+)"', index.text) == ["console", "docs"]
    assert all(anyone.get(f"{root}/{link}").status_code == 200 for link in LINK.findall(index.text))
    client = anyone.get(f"{root}/")
    assert (client.status_code, client.json()["error"]["code"]) == (404, "endpoint_not_served")


def test_it_is_small():
    compressed = [gzip.compress(path.read_bytes(), 9) for path in FOLDER.iterdir()]
    assert sum(map(len, compressed)) <= MAX_BYTES
    assert [name for name, text in SCRIPTS.items() if text.count("\n") > MAX_LINES] == []


def test_every_file_is_served_and_every_import_is_a_file():
    assert SCRIPTS.keys() == {name for name in CONSOLE_FILES if name.endswith(".js")}
    imported = {name for text in SCRIPTS.values() for name in IMPORT.findall(text)}
    assert imported | {"main.js"} == SCRIPTS.keys()


def test_no_script_makes_markup_of_a_text():
    assert [name for name, text in SCRIPTS.items() if MARKUP.search(text)] == []
