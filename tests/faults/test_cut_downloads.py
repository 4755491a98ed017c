"""A file whose provider ends it at any byte in any way: no client takes it for a whole one."""

import itertools
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest

from tests.faults.cuts import ENDINGS, FRAMINGS, Cut, make_cuts
from tests.support.events import new_id
from tests.support.gateway import KEYS, NO_TLS
from tests.support.provider import CLOSE

THREADS = 4  # the gateway's function runs as many times
KIND = "application/octet-stream"
PIECES = [b"begin", bytes(range(256)) * 300, b"the end"]
FILE = b"".join(PIECES)
# Garbage could complete the file: it is as long as its provider declares.
CUTS = [
    cut
    for framing in FRAMINGS
    for ending in ENDINGS
    if ending != "garbage"
    for cut in make_cuts(framing, ending, PIECES, KIND)
]
WHOLE = [Cut(framing, "FIN", 10**9) for framing in ("chunked", "sized")]
DOORS = itertools.cycle(["url", "rest"])
CLIENT_HEADER = "x-client-request-id"  # passes to the provider


def make_file(gateway, provider):
    id = new_id("file")
    provider.respond_with_json({"id": id, "object": "file"})
    with gateway.client() as client:
        assert client.post("/files", json={}).status_code == 200
    provider.reset()
    return id


def respond_with(provider, cuts):
    """Cut the file by the place in `cuts` that a header names."""

    def choose(request):
        if not request.headers[CLIENT_HEADER].isdigit():  # the settle function's, of other tests
            return (CLOSE,)
        provider.received.append(request)
        return cuts[int(request.headers[CLIENT_HEADER])].script(PIECES, KIND)

    provider.respond_by(choose)


def read(gateway, door, path, number):
    """The status, what arrived of the file, and whether the client takes it for the whole file."""
    content = b""
    headers = {"authorization": f"Bearer {KEYS['acme']}", CLIENT_HEADER: str(number)}
    with (
        httpx.Client(base_url=gateway.base(door), trust_env=False, verify=NO_TLS) as client,
        client.stream("GET", path, headers=headers, timeout=60) as got,
    ):
        try:
            for chunk in got.iter_raw():
                content += chunk
        except httpx.TransportError:
            return got.status_code, content, False
    return got.status_code, content, True


@pytest.mark.timeout(900)
def test_a_cut_file_is_broken_at_both_doors(impatient, provider):
    cuts = [*CUTS, *WHOLE]
    path = f"/files/{make_file(impatient, provider)}/content"
    respond_with(provider, cuts)
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(
            lambda number, door: read(impatient, door, path, number), range(len(cuts)), DOORS
        )
        results = list(zip(cuts, found, strict=True))
    for cut, (status, content, is_whole) in results:
        if status != 200:
            assert status in {502, 504}, cut
            assert json.loads(content)["error"]["type"] == "server_error", cut
            continue
        assert cut.framing != "until closed", cut  # its end could not be known
        assert FILE.startswith(content), cut
        assert is_whole == (cut in WHOLE), cut
        assert (content == FILE) or not is_whole, cut
    assert {200, 502} <= {status for cut, (status, *_) in results if cut not in WHOLE}
    assert [status for cut, (status, *_) in results if cut in WHOLE] == [200, 200]


@pytest.mark.parametrize("framing", ["chunked", "sized"])
@pytest.mark.parametrize("door", ["url", "rest"])
def test_the_sdk_raises_for_a_file_without_its_last_byte(impatient, provider, door, framing):
    id = make_file(impatient, provider)
    size = len(Cut(framing, "FIN").wire(PIECES, KIND))
    places = [size - 1, size - 100]
    respond_with(provider, [Cut(framing, "FIN", at) for at in places])
    sdk = openai.OpenAI(
        base_url=impatient.base(door),
        api_key=KEYS["acme"],
        max_retries=0,
        http_client=openai.DefaultHttpxClient(trust_env=False, verify=NO_TLS),
    )
    with sdk:
        for number in range(len(places)):
            with pytest.raises(openai.APIConnectionError):
                sdk.files.content(id, extra_headers={CLIENT_HEADER: str(number)})
