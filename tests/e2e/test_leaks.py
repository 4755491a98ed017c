"""Secrets and content are nowhere but on the wire; the search after each test finds what is not."""

import base64
import json

import httpx
import pytest

from tests.support.canaries import ACCOUNT, CONTENT, METADATA, LeakFound, LeakWatch, named_secrets
from tests.support.concurrency import IS_SOAK, wait_for
from tests.support.events import make_event, make_events, make_response, new_id
from tests.support.gateway import CREDENTIALS, KEYS, NO_TLS
from tests.support.provider import (
    CLOSE,
    RESET,
    encode_chunk,
    encode_response,
    encode_stream,
    encode_stream_head,
)

SECRETS = named_secrets(KEYS, CREDENTIALS)
CANARIES = {**CONTENT, **ACCOUNT, **SECRETS}
INPUT = [
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": CONTENT["prompt"]},
            {
                "type": "input_file",
                "filename": "f",
                "file_data": f"data:a/b;base64,{CONTENT['file content']}",
            },
        ],
    },
    {"type": "function_call", "call_id": "c", "name": "f", "arguments": CONTENT["tool arguments"]},
    {"type": "function_call_output", "call_id": "c", "output": CONTENT["tool output"]},
    {"type": "reasoning", "summary": [], "encrypted_content": CONTENT["reasoning"]},
]
BODY = {
    "input": INPUT,
    "instructions": CONTENT["instructions"],
    "metadata": {"team": CONTENT[METADATA]},
    "safety_identifier": CONTENT["end user"],
    "user": CONTENT["end user"],
    "prompt_cache_key": CONTENT["end user"],
}
HEADERS = {"cookie": CONTENT["prompt"], "x-forwarded-for": CONTENT["end user"]}
ECHO = json.dumps({"error": {"message": " ".join([*CONTENT.values(), *ACCOUNT.values()])}}).encode()


def whole(status="completed"):
    more = {"metadata": BODY["metadata"], "instructions": CONTENT["instructions"]}
    return lambda id: (encode_response(json.dumps(make_response(id, status, **more)).encode()),)


def echoed(status, kind="application/json"):
    return lambda _: (encode_response(ECHO, status, kind=kind),)


def events_of(id):
    return make_events(id, metadata=BODY["metadata"], instructions=CONTENT["instructions"])


def failed(id):
    return make_event(
        "response.failed", 2, response=make_response(id, "failed", error={"code": "x"})
    )


# What the provider does with a create, and whether that is a stream.
OUTCOMES = {
    "completed": (whole(), False),
    "in the background": (whole("queued"), False),
    "400": (echoed(400), False),
    "429": (echoed(429), False),
    "500": (echoed(500, "text/html"), False),
    "a page": (echoed(200, "text/html"), False),
    "no JSON": (lambda _: (encode_response(ECHO[:-1]),), False),
    "no id": (echoed(200), False),
    "reset": (lambda _: (RESET,), False),
    "stream": (lambda id: (encode_stream(*events_of(id)),), True),
    "failed": (lambda id: (encode_stream(*events_of(id)[:2], failed(id)),), True),
    "cut": (lambda id: (encode_stream_head(), *map(encode_chunk, events_of(id)[:2]), CLOSE), True),
    "cut in an event": (
        lambda id: (encode_stream_head(), encode_chunk(b"".join(events_of(id))[:-99]), CLOSE),
        True,
    ),
    "unreadable": (lambda _: (encode_stream(b"data: " + ECHO[:-1] + b"\n\n"),), True),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_no_outcome_of_a_create_leaves_a_canary(provider, client, door, name):
    script, streams = OUTCOMES[name]
    id = new_id()
    provider.respond_with(*script(id))
    provider.respond_to_settle(id, *whole()(id))
    headers = {**HEADERS, "idempotency-key": CONTENT["Idempotency-Key"] + id + door}
    for model in ("gpt-5", "public"):
        body = {**BODY, "model": model, "stream": streams, "background": "background" in name}
        client.post("/responses", json=body, headers=headers)
        provider.respond_with(*script(new_id()))  # for the other model
        headers["idempotency-key"] += "x"
    client.post("/responses", json={**body, "input": "other"}, headers=headers)
    client.get(f"/responses?metadata[team]={CONTENT[METADATA]}")
    provider.reset()


REFUSED = [
    ("POST", "/responses", {"json": {**BODY, "model": "unknown"}}),
    ("POST", "/responses", {"json": {**BODY, "model": "gpt-5", "temperature": CONTENT["prompt"]}}),
    ("POST", "/responses", {"json": {**BODY, "model": "gpt-5", "input": 7}}),
    ("POST", "/responses", {"content": json.dumps(BODY).encode()[:-1]}),
    ("POST", "/responses", {"content": json.dumps(BODY).encode() + b"\xff"}),
    ("POST", "/responses", {"json": {**BODY, "previous_response_id": "resp_nobody"}}),
    ("GET", "/nowhere", {"params": {"q": CONTENT["prompt"]}}),
    ("GET", "/responses", {"params": {"unknown": CONTENT["prompt"]}}),
    ("POST", "/conversations", {"json": {"metadata": 7, "items": INPUT}}),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
@pytest.mark.parametrize("key", ["acme", "acme's revoked"])
def test_no_refusal_leaves_a_canary(gateway, door, number, key):
    method, path, content = REFUSED[number]
    gateway.revoke("acme's revoked")
    with gateway.client(door, key) as client:
        assert client.request(method, path, headers=HEADERS, **content).status_code >= 400


def test_no_other_call_leaves_a_canary(provider, client):
    conversation, id = new_id("conv"), new_id()
    made = {"id": conversation, "object": "conversation", "metadata": BODY["metadata"]}
    items = {"object": "list", "data": [{**item, "id": new_id("item")} for item in INPUT]}
    answers = [made, made, items, items, make_response(id), make_response(id), {"input_tokens": 1}]
    for answer in answers:
        provider.respond_with_json(answer)
    more = {"metadata": BODY["metadata"]}
    client.post("/conversations", json={**more, "items": INPUT})
    path = f"/conversations/{conversation}"
    client.post(path, json=more)
    client.post(f"{path}/items", json={"items": INPUT})
    client.get(f"{path}/items")
    client.post("/responses", json={**BODY, "model": "gpt-5"})
    client.post("/responses/compact", json={"model": "gpt-5", "input": INPUT})
    client.post("/responses/input_tokens", json={"model": "gpt-5", "input": INPUT})
    client.get("/usage")
    assert len(provider.received) == len(answers)


@pytest.fixture
def watch(tmp_path):
    made = LeakWatch(tmp_path / "log", tmp_path / "aws", SECRETS)
    made.log.write_bytes(b"")
    made.recording.write_bytes(b"")
    yield made
    made.close()


def record(watch, operation, body):
    """Write what the recorder of the local AWS writes."""
    encoded = base64.b64encode(json.dumps(body).encode()).decode()
    line = {"headers": {"X-Amz-Target": operation}, "body": encoded, "body_encoded": True}
    with watch.recording.open("a") as file:
        file.write(json.dumps(line) + "\n")


@pytest.mark.parametrize("name", CANARIES)
def test_a_canary_in_the_log_is_found(watch, name):
    watch.log.write_text(f'{{"message":"answered","x":"{CANARIES[name]}"}}\n')
    with pytest.raises(LeakFound) as raised:
        watch.check()
    assert name in str(raised.value)
    watch.check()  # it is found once


def test_a_canary_in_two_pieces_of_the_log_is_found(watch):
    prompt = CONTENT["prompt"]
    watch.log.write_text(prompt[:9])
    watch.check()
    watch.log.write_text(f"{prompt}\n")
    with pytest.raises(LeakFound):
        watch.check()


ITEM = {"pk": {"S": "T#acme#R#r"}, "sk": {"S": "LINK"}}
PLACES = {
    "an attribute": (
        "DynamoDB_20120810.PutItem",
        lambda value: {"Item": {**ITEM, "x": {"S": value}}},
    ),
    "a key": ("DynamoDB_20120810.GetItem", lambda value: {"Key": {"pk": {"S": f"K#{value}"}}}),
    "a name": ("DynamoDB_20120810.PutItem", lambda value: {"Item": {**ITEM, value: {"S": "x"}}}),
    "an update": (
        "DynamoDB_20120810.UpdateItem",
        lambda v: {"ExpressionAttributeValues": {":u": {"S": v}}},
    ),
    "a message": (
        "AmazonSQS.SendMessage",
        lambda value: {"MessageBody": json.dumps({"id": value})},
    ),
}


@pytest.mark.parametrize(
    ("name", "place"),
    # One place for each canary outside the soak: one search finds them all.
    [
        (name, place)
        for n, name in enumerate(CANARIES)
        for m, place in enumerate(PLACES)
        if IS_SOAK or n % len(PLACES) == m
    ],
)
def test_a_canary_in_a_row_or_a_message_is_found(watch, place, name):
    operation, body = PLACES[place]
    record(watch, operation, body(CANARIES[name]))
    with pytest.raises(LeakFound) as raised:
        watch.check()
    assert name in str(raised.value)


TEAM = {"M": {"team": {"S": CONTENT[METADATA]}}}
MAY_HAVE_METADATA = [
    ("DynamoDB_20120810.PutItem", {"Item": {**ITEM, "metadata": TEAM}}),
    ("DynamoDB_20120810.UpdateItem", {"ExpressionAttributeValues": {":metadata": TEAM}}),
    ("DynamoDB_20120810.PutItem", {"Item": {"pk": {"S": f"T#acme#M#team={CONTENT[METADATA]}"}}}),
    (
        "AmazonSQS.SendMessage",
        {"MessageBody": json.dumps({"link": {"metadata": {"team": CONTENT[METADATA]}}})},
    ),
    ("secretsmanager.CreateSecret", {"SecretString": next(iter(CREDENTIALS.values()))}),
]


@pytest.mark.parametrize("number", range(len(MAY_HAVE_METADATA)))
def test_what_may_have_it_is_no_leak(watch, number):
    record(watch, *MAY_HAVE_METADATA[number])
    watch.check()


@pytest.mark.parametrize("name", ACCOUNT)
def test_an_answer_that_names_the_account_is_found(gateway, name):
    response = httpx.Response(400, text=ACCOUNT[name], headers={"x-request-id": "req_of_provider"})
    with pytest.raises(LeakFound):
        gateway.watch.check_response(response)


def test_a_real_row_and_a_real_line_are_found(gateway):
    """So the recording is that of this gateway's AWS, and the log its own."""
    gateway.put({"pk": "T#acme#X", "sk": "X", "text": CONTENT["prompt"]})
    with pytest.raises(LeakFound, match="PutItem"):
        gateway.watch.check()
    # The path of a request is logged, and an error repeats it to the caller.
    httpx.get(f"{gateway.url}/{CONTENT['output']}", trust_env=False, verify=NO_TLS)
    found = []

    def find_lines():
        """That of the function, and that for people, which is printed after the answer."""
        try:
            gateway.watch.check()
        except LeakFound as exc:
            found.append(str(exc))
        return "\n".join(found).count("the log: ")

    assert wait_for(find_lines, lambda lines: lines >= 2) == 2
