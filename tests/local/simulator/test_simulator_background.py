"""Background responses: polled, cancelled, streamed and resumed."""

import gzip

import httpx
import openai
import pytest

from tests.local.simulator.reply import KEY, check_events, read, send_create


def start(client, model="gpt-4.1", **more):
    return client.responses.create(model=model, input="Go on", background=True, **more)


def test_a_background_response_is_queued_and_ends(client):
    response = start(client)
    assert (response.status, response.output, response.usage) == ("queued", [], None)
    received = set()
    while response.status != "completed":
        response = client.responses.retrieve(response.id)
        received.add(response.status)
    assert received <= {"queued", "in_progress", "completed"}
    assert response.output_text == "You said: Go on"


def test_a_response_stays_queued_until_it_is_cancelled(client):
    id = start(client, "sim-queued-60s").id
    assert client.responses.retrieve(id).status == "queued"
    assert client.responses.cancel(id).status == "cancelled"
    assert client.responses.cancel(id).status == "cancelled"
    assert client.responses.retrieve(id).status == "cancelled"


def test_only_a_background_response_can_be_cancelled(client):
    id = client.responses.create(model="gpt-4.1", input="Hi").id
    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(id)


def test_a_background_response_must_be_stored(client):
    with pytest.raises(openai.BadRequestError, match="store"):
        start(client, store=False)


def test_a_background_stream_has_a_queued_event(client):
    events = [event.to_dict() for event in start(client, stream=True)]
    check_events(events)
    assert [event["type"] for event in events[:3]] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    assert events[-1]["response"]["status"] == "completed"


@pytest.mark.parametrize("after", [0, 3, 5])
def test_a_stream_is_resumed_after_any_event(client, after):
    with start(client, stream=True) as stream:
        received = [next(stream) for _ in range(after + 1)]
    rest = client.responses.retrieve(
        received[0].response.id, stream=True, starting_after=received[-1].sequence_number
    )
    check_events([event.to_dict() for event in [*received, *rest]])


def test_the_sdk_streams_a_response_that_was_created_without_stream(client):
    id = start(client).id
    with client.responses.stream(response_id=id) as stream:
        assert stream.get_final_response().output_text == "You said: Go on"


def test_a_finished_stream_can_be_repeated_without_padding(client):
    created = next(iter(client.responses.create(model="gpt-4.1", input="Hi", stream=True)))
    again = client.responses.retrieve(created.response.id, stream=True, include_obfuscation=False)
    events = [event.to_dict() for event in again]
    check_events(events)
    assert not any("obfuscation" in event for event in events)


@pytest.mark.parametrize("model", ["sim-gzip", "sim-cr", "sim-reset-mid-delta"])
def test_a_resumed_stream_has_the_usual_encoding(simulator, model):
    first = send_create(simulator, model, stream=True)
    whole = gzip.decompress(first.body) if model == "sim-gzip" else first.body
    path = f"{simulator}/v1/responses/{read(whole)[0]['response']['id']}?stream=true"
    again = httpx.get(path, headers=KEY)
    assert "content-encoding" not in again.headers
    check_events(read(again.content))
    assert again.content.endswith(b"}\n\n")


def test_a_synchronous_response_cannot_be_streamed_later(client):
    id = client.responses.create(model="gpt-4.1", input="Hi").id
    with pytest.raises(openai.BadRequestError, match="stream"):
        client.responses.retrieve(id, stream=True)


def test_cancelling_ends_the_stream(client):
    with start(client, "sim-queued-60s", stream=True) as stream:
        id = next(stream).response.id
        client.responses.cancel(id)
        assert [event.type for event in stream] == ["response.queued"]
