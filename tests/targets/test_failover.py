"""Which targets get a request when one fails, counted at the targets, by a few cases of each kind.

The table of all statuses and failures is a unit test of the policy.
"""

import json
from dataclasses import dataclass

import pytest

from tests.support.events import make_events, make_response, new_id
from tests.support.provider import (
    INVALID,
    MAYBE_PROCESSED,
    NOT_PROCESSED,
    RESET,
    Gate,
    encode_response,
    encode_stream,
    make_error_script,
)

WHOLE_OR_STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@dataclass(frozen=True)
class Case:
    """A model with its targets in their order, and whether the first of them holds a parent."""

    model: str
    targets: tuple[str, ...]
    pinned: bool = False

    def __str__(self):
        return f"{'pinned' if self.pinned else 'free'}-{self.model}"


FREE = [
    Case("one", ("first",)),
    Case("two", ("first", "second")),
    Case("three", ("first", "second", "third")),
    Case("shared", ("shared-a", "shared-b", "shared-c")),
]
PINNED = [
    Case("one", ("first",), pinned=True),
    Case("three", ("first",), pinned=True),  # second and third are other accounts
    Case("shared", ("shared-a", "shared-b"), pinned=True),  # and shared-c is another one
]
THREE = FREE[2]


def good(id, stream):
    return (
        encode_stream(*make_events(id))
        if stream
        else encode_response(json.dumps(make_response(id)).encode())
    )


def continuing(client, providers, case):
    """What a request of a case has to say of its parent, which is made here."""
    if not case.pinned:
        return {}
    parent, holder = new_id(), providers[case.targets[0]]
    holder.respond_with(good(parent, stream=False))
    made = client.post("/responses", json={"model": case.model, "input": "x"})
    assert made.status_code == 200
    holder.received.clear()
    return {"previous_response_id": parent}


def ask(gateway, providers, case, failures, stream):
    """Send one create, which the first targets fail as scripted and the next one answers."""
    with gateway.client() as client:
        parent = continuing(client, providers, case)
        for name, failure in zip(case.targets, failures, strict=False):
            providers[name].respond_with(*failure)
        for name in case.targets[len(failures) :]:
            providers[name].respond_with(good(new_id(), stream))
        body = {"model": case.model, "input": "x", "stream": stream, **parent}
        return client.post("/responses", json=body)


def posts(providers):
    counted = {name: len(provider.received) for name, provider in providers.items()}
    return {name: count for name, count in counted.items() if count}


@pytest.mark.parametrize(
    ("failure", "case", "stream"),
    [
        *((failure, THREE, n % 2 == 0) for n, failure in enumerate(NOT_PROCESSED)),
        *(("429", case, n % 2 == 0) for n, case in enumerate(FREE + PINNED) if case != THREE),
    ],
    ids=str,
)
def test_the_next_target_gets_it_where_the_first_did_not_process_it(
    many, providers, failure, case, stream
):
    got = ask(many, providers, case, [NOT_PROCESSED[failure]], stream)
    attempted = case.targets[:2]
    assert posts(providers) == dict.fromkeys(attempted, 1)
    assert got.headers["x-antiphon-attempts"] == str(len(attempted))
    assert got.headers["x-antiphon-target"] == attempted[-1]
    assert (got.status_code == 200) == (len(attempted) == 2)


@WHOLE_OR_STREAMED
def test_the_list_has_the_attempts_and_their_times(many, providers, stream):
    assert ask(many, providers, THREE, [NOT_PROCESSED["429"]], stream).status_code == 200
    with many.client() as client:
        link = client.get("/responses", params={"limit": 1}).json()["data"][0]
    attempts = [(each["target"], each["status"]) for each in link["attempts"]]
    assert attempts == [("first", 429), ("second", 200)]
    assert link["waited_ms"] >= sum(each["ms"] for each in link["attempts"]) // 1


@pytest.mark.parametrize(
    ("failure", "case", "stream"),
    [
        ("429", FREE[0], False),
        ("503", FREE[1], True),
        ("404 page", FREE[2], False),
        ("401", FREE[3], True),
        ("403", PINNED[0], False),
        ("404 model", PINNED[1], True),
        ("400 encrypted", PINNED[2], False),
    ],
    ids=str,
)
def test_every_target_gets_it_once_where_none_processes_it(many, providers, failure, case, stream):
    got = ask(many, providers, case, [NOT_PROCESSED[failure]] * len(case.targets), stream)
    assert posts(providers) == dict.fromkeys(case.targets, 1)
    assert got.headers["x-antiphon-attempts"] == str(len(case.targets))
    status = int(failure[:3])
    assert got.status_code == (502 if status in {401, 403} else status)


@pytest.mark.parametrize(
    ("failure", "before", "case", "stream"),
    [
        *((failure, 1, THREE, n % 2 == 0) for n, failure in enumerate(MAYBE_PROCESSED)),
        ("reset", 0, FREE[0], False),
        ("500", 0, THREE, True),
        ("half", 2, THREE, True),
        ("closed", 1, PINNED[2], False),
    ],
    ids=str,
)
def test_no_other_target_gets_it_after_one_that_may_have_processed_it(
    many, providers, failure, before, case, stream
):
    failures = [NOT_PROCESSED["429"]] * before + [MAYBE_PROCESSED[failure]]
    got = ask(many, providers, case, failures, stream)
    attempted = case.targets[: len(failures)]
    assert posts(providers) == dict.fromkeys(attempted, 1)
    assert got.status_code == (int(failure) if failure.isdigit() else 502)
    assert got.headers["x-should-retry"] == "false"
    assert got.headers["x-antiphon-target"] == attempted[-1]
    assert got.headers["x-antiphon-attempts"] == str(len(attempted))


@pytest.mark.parametrize("failure", INVALID)
def test_an_invalid_request_goes_to_no_other_target(many, providers, failure):
    got = ask(many, providers, THREE, [INVALID[failure]], stream=False)
    assert posts(providers) == {THREE.targets[0]: 1}
    assert got.status_code == int(failure[:3])


HEAD = b"HTTP/1.1 503 X\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n"


@pytest.mark.parametrize("end", ["silence", "reset"])
@pytest.mark.parametrize("body", [b"", b'{"error":{"message":"m"'], ids=["no body", "half"])
def test_the_head_of_an_error_decides_whatever_its_body_does(many, providers, end, body):
    gate = Gate()
    script = (HEAD + body, gate if end == "silence" else RESET)
    got = ask(many, providers, FREE[1], [script], stream=True)
    gate.open()
    assert (got.status_code, got.headers["x-antiphon-target"]) == (200, "second")


def test_an_error_whose_body_is_missing_has_the_envelope_of_its_status(many, providers):
    got = ask(many, providers, FREE[0], [(HEAD, RESET)], stream=False)
    assert (got.status_code, got.json()["error"]["type"]) == (503, "server_error")


@pytest.mark.parametrize("status", [600, 999])
def test_a_status_that_lambda_cannot_send_is_a_502(many, providers, status):
    got = ask(many, providers, FREE[1], [make_error_script(status)], stream=True)
    assert (got.status_code, got.headers["x-should-retry"]) == (502, "false")
    assert str(status) in got.json()["error"]["message"]
    assert posts(providers) == {"first": 1}


@pytest.mark.parametrize("status", [200, 400])
def test_headers_that_lambda_cannot_send_are_dropped(many, providers, status):
    large = {"x_ratelimit_reset_tokens": "9" * 20_000}
    script = encode_response(json.dumps(make_response(new_id())).encode(), status, **large)
    got = ask(many, providers, FREE[0], [(script,)], stream=False)
    assert (got.status_code, got.headers["x-request-id"]) == (status, "req_of_provider")
    assert "x-ratelimit-reset-tokens" not in got.headers


def test_a_silent_target_may_have_begun(many, providers):
    """A stream's first event is waited for; the other targets are not attempted meanwhile."""
    gate = Gate()
    got = ask(many, providers, FREE[1], [(gate,)], stream=True)
    gate.open()
    assert (got.status_code, got.headers["x-should-retry"]) == (504, "false")
    assert posts(providers) == {"first": 1}


@WHOLE_OR_STREAMED
@pytest.mark.parametrize("model", ["unreachable", "untrusted"])
def test_a_target_that_cannot_be_reached_began_nothing(many, providers, model, stream):
    got = ask(many, providers, Case(model, ("second",)), [], stream)
    assert (got.status_code, posts(providers)) == (200, {"second": 1})
    assert (got.headers["x-antiphon-target"], got.headers["x-antiphon-attempts"]) == ("second", "2")


def test_a_target_that_cannot_be_reached_and_is_the_only_one_may_be_tried_again(many, providers):
    got = ask(many, providers, Case("nowhere", ()), [], stream=False)
    assert (got.status_code, got.json()["error"]["code"]) == (502, "upstream_not_reached")
    assert "x-should-retry" not in got.headers
    assert got.headers["x-antiphon-target"] == "closed"


@pytest.mark.parametrize(
    ("failures", "status"),
    [
        (["404 model", "429", "403"], 429),
        (["401", "404 model", "503"], 503),
        (["401", "404 model"], 404),
    ],
    ids=str,
)
def test_of_several_errors_the_one_most_likely_to_pass_is_returned(
    many, providers, failures, status
):
    case = FREE[len(failures) - 1]
    got = ask(many, providers, case, [NOT_PROCESSED[name] for name in failures], stream=False)
    assert (got.status_code, len(posts(providers))) == (status, len(failures))


def test_the_target_of_the_returned_error_is_named(many, providers):
    """Not the one that was attempted last, whose refusal says less."""
    got = ask(
        many, providers, Case("unreachable", ("second",)), [NOT_PROCESSED["403"]], stream=False
    )
    assert (got.status_code, got.json()["error"]["code"]) == (502, "upstream_not_reached")
    assert (got.headers["x-antiphon-target"], got.headers["x-antiphon-attempts"]) == ("closed", "2")


def test_each_target_gets_its_own_name_for_the_model(many, providers):
    providers["azure-a"].respond_with(*make_error_script(429))
    providers["azure-b"].respond_with(good(new_id(), stream=False))
    body = b'{ "input":"x",  "model" : "deployed" }'
    with many.client() as client:
        assert client.post("/responses", content=body).status_code == 200
    sent = [providers[name].received[0].body for name in ("azure-a", "azure-b")]
    assert sent == [body.replace(b"deployed", f"deployed-{which}".encode()) for which in "ab"]
