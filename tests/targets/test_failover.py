"""Who is asked when a target fails: counted at the targets, not told by the gateway."""

import json
from dataclasses import dataclass

import pytest

from tests.support.events import make_events, make_response, new_id
from tests.support.provider import (
    INVALID,
    MAYBE_PROCESSED,
    NOT_PROCESSED,
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
CASES = pytest.mark.parametrize("case", FREE + PINNED, ids=str)


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
    """Send one create, which the first targets fail as told and the next one answers."""
    with gateway.client() as client:
        parent = continuing(client, providers, case)
        for name, failure in zip(case.targets, failures, strict=False):
            providers[name].respond_with(*failure)
        for name in case.targets[len(failures) :]:
            providers[name].respond_with(good(new_id(), stream))
        asked = {"model": case.model, "input": "x", "stream": stream, **parent}
        return client.post("/responses", json=asked)


def posts(providers):
    counted = {name: len(provider.received) for name, provider in providers.items()}
    return {name: count for name, count in counted.items() if count}


@WHOLE_OR_STREAMED
@CASES
@pytest.mark.parametrize("failure", NOT_PROCESSED)
def test_the_next_target_is_asked_where_the_first_began_nothing(
    many, providers, failure, case, stream
):
    got = ask(many, providers, case, [NOT_PROCESSED[failure]], stream)
    asked = case.targets[:2]
    assert posts(providers) == dict.fromkeys(asked, 1)
    assert got.headers["x-antiphon-attempts"] == str(len(asked))
    assert got.headers["x-antiphon-target"] == asked[-1]
    assert (got.status_code == 200) == (len(asked) == 2)


@WHOLE_OR_STREAMED
@CASES
@pytest.mark.parametrize("failure", NOT_PROCESSED)
def test_every_target_is_asked_once_where_none_begins(many, providers, failure, case, stream):
    got = ask(many, providers, case, [NOT_PROCESSED[failure]] * len(case.targets), stream)
    assert posts(providers) == dict.fromkeys(case.targets, 1)
    assert got.headers["x-antiphon-attempts"] == str(len(case.targets))
    said = int(failure[:3])
    assert got.status_code == (502 if said in {401, 403} else said)


@WHOLE_OR_STREAMED
@CASES
@pytest.mark.parametrize("before", [0, 1, 2])
@pytest.mark.parametrize("failure", MAYBE_PROCESSED)
def test_nobody_is_asked_behind_a_target_that_may_have_begun(
    many, providers, failure, before, case, stream
):
    failures = [NOT_PROCESSED["429"]] * min(before, len(case.targets) - 1)
    failures.append(MAYBE_PROCESSED[failure])
    got = ask(many, providers, case, failures, stream)
    asked = case.targets[: len(failures)]
    assert posts(providers) == dict.fromkeys(asked, 1)
    assert got.status_code == (int(failure) if failure.isdigit() else 502)
    assert got.headers["x-should-retry"] == "false"
    assert got.headers["x-antiphon-target"] == asked[-1]
    assert got.headers["x-antiphon-attempts"] == str(len(asked))


@WHOLE_OR_STREAMED
@CASES
@pytest.mark.parametrize("failure", INVALID)
def test_what_is_wrong_with_the_request_is_wrong_everywhere(many, providers, failure, case, stream):
    got = ask(many, providers, case, [INVALID[failure]], stream)
    assert posts(providers) == {case.targets[0]: 1}
    assert got.status_code == int(failure[:3])


def test_a_silent_target_may_have_begun(many, providers):
    """A stream's first event is waited for; the other targets are not asked meanwhile."""
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
    ("failures", "told"),
    [
        (["404 model", "429", "403"], 429),
        (["401", "404 model", "503"], 503),
        (["401", "404 model"], 404),
    ],
    ids=str,
)
def test_of_several_refusals_the_most_hopeful_is_told(many, providers, failures, told):
    case = FREE[len(failures) - 1]
    got = ask(many, providers, case, [NOT_PROCESSED[name] for name in failures], stream=False)
    assert (got.status_code, len(posts(providers))) == (told, len(failures))


def test_the_target_whose_refusal_is_told_is_named(many, providers):
    """Not the one that was asked last, whose refusal says less."""
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
