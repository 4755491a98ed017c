"""A provider's answer that ends at any byte in any way: never a silent end, never a false one."""

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.faults.cuts import (
    ENDINGS,
    FRAMINGS,
    JSON,
    STREAM,
    encode_json,
    make_cuts,
    respond_with_cuts,
)
from tests.support.concurrency import IS_SOAK
from tests.support.events import make_events, make_response, new_id, parse_events

THREADS = 4  # the gateway's function runs as many times
PING = b": ping\n\n"
USAGE = make_response("")["usage"]
EVENT_COUNT = len(make_events(""))
CELLS = list(itertools.product(FRAMINGS, ENDINGS))
# Outside the soak one test has all of them: what waits, for silence or for a poll, waits at once.
TESTS = {"-".join(cell): [cell] for cell in CELLS} if IS_SOAK else {"all": CELLS}

pytestmark = [
    pytest.mark.parametrize("cells", TESTS.values(), ids=TESTS),
    pytest.mark.timeout(900),  # for ANTIPHON_SOAK
]


def send_all(gateway, provider, cuts, answer, kind):
    """Create a response for each cut, some at once; yield the cut, the id and the answer."""
    ids = {new_id(): cut for cut in cuts}

    def create(client, id):
        body = {"model": "gpt-5", "input": id, "stream": kind == STREAM}
        return client.post("/responses", json=body)

    respond_with_cuts(provider, ids, answer, kind)
    with gateway.client() as client, ThreadPoolExecutor(THREADS) as pool:
        answers = pool.map(lambda id: create(client, id), ids)
        yield from zip(cuts, ids, answers, strict=True)
    assert len(provider.received) == len(cuts)  # nothing was sent twice


def check_refusal(cut, got, id):
    """An error in OpenAI's form that no SDK repeats and that names no id."""
    status = 504 if cut.ending == "silence" else 502
    assert (got.status_code, got.headers["x-should-retry"]) == (status, "false"), cut
    assert got.headers["content-type"] == "application/json", cut
    assert got.json()["error"]["type"] == "server_error", cut
    assert id not in got.text, cut


def completed_row(gateway, id):
    row = gateway.wait_for_row(f"T#acme#R#{id}", lambda row: row["status"] == "completed")
    return row["usage"]


def test_a_cut_json_answer_is_an_error(impatient, provider, cells):
    answer = encode_json(new_id())
    cuts = [cut for cell in cells for cut in make_cuts(*cell, answer, JSON)]
    owned = []
    for cut, id, got in send_all(impatient, provider, cuts, encode_json, JSON):
        body = b"".join(encode_json(id))
        # Garbage behind a body without a length is part of it.
        if got.status_code == 200:
            assert (cut.arrived(encode_json(id), JSON), got.content) == (body, body), cut
            owned.append((cut, id))
        else:
            assert cut.at < len(cut.wire(encode_json(id), JSON)) or cut.framing == "until closed", (
                cut
            )
            check_refusal(cut, got, id)
        if got.status_code != 200 and impatient.row(f"T#acme#R#{id}") is not None:
            owned.append((cut, id))  # then its link must be followed to its end
    always = {(f, e) for f, e in cells if e != "silence" and f != "until closed"}
    check_owned(impatient, owned, always)


def test_a_cut_stream_has_whole_events_and_an_end(impatient, provider, cells):
    answer = make_events(new_id())
    cuts = [cut for cell in cells for cut in make_cuts(*cell, answer, STREAM)]
    owned = []
    for cut, id, got in send_all(impatient, provider, cuts, make_events, STREAM):
        if got.status_code == 200:
            check_stream(cut, got.content.replace(PING, b""), id)
            owned.append((cut, id))
        else:
            check_refusal(cut, got, id)
            assert cut.ending in {"RST", "garbage"} or arrived_events(cut, id) == 0, cut
            assert impatient.row(f"T#acme#R#{id}") is None, cut
    check_owned(impatient, owned, cells)


def check_owned(gateway, owned, cells):
    """These responses get their end and their usage; there is one of each of these cells."""
    assert {(cut.framing, cut.ending) for cut, _ in owned} >= set(cells)
    assert [completed_row(gateway, id) for _, id in owned] == [USAGE] * len(owned)


def arrived_events(cut, id):
    """How many events arrived; the last one is terminal, so that it needs no blank line."""
    events = make_events(id)
    body = cut.arrived(events, STREAM)
    is_whole = body.rstrip(b"\n") == b"".join(events).rstrip(b"\n")
    return EVENT_COUNT if is_whole else body.count(b"\n\n")


def check_stream(cut, content, id):
    """Whole events of the provider, then our pair unless the provider's own end is among them.

    A reset may take away what has arrived; so may bytes that are no chunk.
    """
    events, arrived = make_events(id), arrived_events(cut, id)
    passed = next(n for n in range(EVENT_COUNT, 0, -1) if content.startswith(b"".join(events[:n])))
    assert passed <= arrived, cut
    assert passed == arrived or cut.ending in {"RST", "garbage"}, cut
    tail = content[len(b"".join(events[:passed])) :]
    if passed == EVENT_COUNT:
        assert tail == b"", cut
        return
    error, failed = parse_events(tail)
    assert (error["type"], failed["type"]) == ("error", "response.failed"), cut
    assert [each["sequence_number"] for each in (error, failed)] == [passed, passed + 1], cut
    assert error["error"]["code"] == error["code"], cut
    assert failed["response"]["id"] == id, cut
