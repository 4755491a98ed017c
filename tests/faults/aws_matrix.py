"""Every kind of call, with what a provider answers it; and a function whose AWS can be failed."""

import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from antiphon.store.keys import key_row
from antiphon.store.links import link_row
from tests.faults.aws_proxy import AwsProxy, run_aws_proxy
from tests.support.dynamodb import make_link
from tests.support.events import make_event, make_response, new_id
from tests.support.function import FunctionResponse, RunningFunction, run_function
from tests.support.gateway import Gateway
from tests.support.provider import FakeProvider, Script, encode_response, encode_stream

LIMITS = {"rpm": 1_000, "tpm": 1_000_000, "streams": 5, "budget_usd": 1}
COST = 3 * 1_250 + 4 * 10_000  # nano-dollars of the usage that the responses have
SETTLING = "antiphon-settle-"  # how the request ids of the settle function begin


type Shape = Callable[[bytes], Script]  # how the provider sends an answer


@dataclass(frozen=True)
class Names:
    """The ids of one call: what its tenant owns before, and what the provider makes."""

    owned: str = field(default_factory=new_id)
    conversation: str = field(default_factory=lambda: new_id("conv"))
    made: str = field(default_factory=new_id)
    made_conversation: str = field(default_factory=lambda: new_id("conv"))
    item: str = field(default_factory=lambda: new_id("msg"))
    store: str = field(default_factory=lambda: new_id("vs"))
    made_file: str = field(default_factory=lambda: new_id("file"))


@dataclass(frozen=True)
class Call:
    """A kind of call; `answer` is the provider's, in one step of a script."""

    method: str
    path: str
    answer: Callable[[Names], bytes]
    body: dict[str, Any] | None = None
    is_paid: bool = False  # so that it reserves money

    @property
    def is_idempotent(self) -> bool:
        """Whether it may be sent again after it was done: it makes nothing and costs nothing."""
        return self.method != "POST" or self.path.endswith("/cancel")

    def event(self, names: Names, key: str) -> bytes:
        parts = urlsplit(self.path.format(**vars(names)))
        body = None if self.body is None else json.dumps(self.body).replace("OWNED", names.owned)
        headers = {"authorization": f"Bearer {key}"}
        if self.is_paid:
            headers["idempotency-key"] = key
        http = {"method": self.method, "path": f"/v1{parts.path}"}
        return json.dumps(
            {
                "version": "2.0",
                "rawPath": http["path"],
                "rawQueryString": parts.query,
                "headers": headers,
                "requestContext": {"http": http, "stage": "$default"},
                "body": body,
                "isBase64Encoded": False,
            }
        ).encode()


def _json(**document: object) -> bytes:
    return encode_response(json.dumps(document).encode())


def _items(names: Names) -> list[dict[str, str]]:
    return [{"type": "message", "id": names.item}]


def _response(names: Names, status: str = "completed", **more: object) -> bytes:
    return _json(**make_response(names.made, status, output=_items(names), **more))


def _in_conversation(names: Names) -> bytes:
    return _response(names, conversation={"id": names.made_conversation})


def _stream(names: Names) -> bytes:
    ended = make_response(names.made, output=_items(names))
    return encode_stream(
        make_event("response.created", 0, response=make_response(names.made, "in_progress")),
        make_event("response.completed", 1, response=ended),
    )


def _owned(names: Names) -> bytes:
    return _json(**make_response(names.owned, output=_items(names)))


def _list(names: Names) -> bytes:
    return _json(object="list", data=_items(names))


def _conversation(names: Names) -> bytes:
    return _json(id=names.conversation, metadata={})


CREATE = {"model": "gpt-5", "input": "x", "max_output_tokens": 100}
FOLLOWING = {**CREATE, "previous_response_id": "OWNED"}
NEW_ITEMS = {"items": [{"role": "user", "content": "x"}]}
CALLS: dict[str, Call] = {
    "create": Call("POST", "/responses", _response, FOLLOWING, is_paid=True),
    "conversation implied": Call("POST", "/responses", _in_conversation, CREATE, is_paid=True),
    "stream": Call("POST", "/responses", _stream, {**CREATE, "stream": True}, is_paid=True),
    "compact": Call(
        "POST",
        "/responses/compact",
        lambda names: _response(names, object="response.compaction"),
        {"model": "gpt-5", "input": "x"},
        is_paid=True,
    ),
    "input tokens": Call(
        "POST", "/responses/input_tokens", lambda _: _json(input_tokens=3), CREATE
    ),
    "retrieve": Call("GET", "/responses/{owned}", _owned),
    "cancel": Call("POST", "/responses/{owned}/cancel", _owned),
    "delete": Call("DELETE", "/responses/{owned}", lambda _: _json(deleted=True)),
    "input items": Call("GET", "/responses/{owned}/input_items", _list),
    "lineage": Call("GET", "/responses/{owned}/lineage", _list),
    "list": Call("GET", "/responses", _list),
    "open conversation": Call(
        "POST", "/conversations", lambda names: _json(id=names.made_conversation), {}
    ),
    "conversation": Call("GET", "/conversations/{conversation}", _conversation),
    "change conversation": Call(
        "POST", "/conversations/{conversation}", _conversation, {"metadata": {}}
    ),
    "delete conversation": Call(
        "DELETE", "/conversations/{conversation}", lambda _: _json(deleted=True)
    ),
    "add items": Call("POST", "/conversations/{conversation}/items", _list, NEW_ITEMS),
    "items": Call("GET", "/conversations/{conversation}/items", _list),
    "make file": Call("POST", "/files", lambda names: _json(id=names.made_file), {}),
    "search store": Call(
        "POST", "/vector_stores/{store}/search", lambda _: _json(data=[]), {"query": "x"}
    ),
    "delete store": Call("DELETE", "/vector_stores/{store}", lambda _: _json(deleted=True)),
    "stores": Call("GET", "/vector_stores?limit=1", lambda names: _json(id=names.store)),
    "models": Call("GET", "/models", _list),
    "usage": Call("GET", "/usage", _list),
}


class Step(NamedTuple):
    """One call of AWS that a call makes: an operation, and how many of it are before it."""

    operation: str
    number: int


@dataclass
class Sent:
    """One call that was sent, and what came of it."""

    call: Call
    names: Names
    key: str
    response: FunctionResponse
    operations: list[str]  # of AWS, in order
    was_done: bool  # whether the provider answered it with success

    @property
    def steps(self) -> list[Step]:
        """Its calls of the table."""
        seen: Counter[str] = Counter()
        found = []
        for operation in self.operations:
            found.append(Step(operation, seen[operation]))
            seen[operation] += 1
        return [step for step in found if step.operation != "GetSecretValue"]

    @property
    def invites_retry(self) -> bool:
        """Whether an SDK sends again what the provider has done and would do twice."""
        says_no = self.response.headers.get("x-should-retry") == "false"
        is_retried = self.response.status in {408, 409, 429} or self.response.status >= 500
        repeats = self.was_done and not self.call.is_idempotent
        return repeats and is_retried and not says_no


class Rig:
    """A function in a runtime process of its own, over the AWS of a gateway."""

    def __init__(
        self, gateway: Gateway, provider: FakeProvider, proxy: AwsProxy, invoke: RunningFunction
    ) -> None:
        self.gateway, self.proxy, self._invoke = gateway, proxy, invoke
        self._provider = provider
        self._was_done = False  # whether the provider answered the call with success
        self.shape: Shape = lambda answer: (answer,)

    def send(self, call: Call) -> Sent:
        """Send a call with a key of its own."""
        names, key = Names(), f"sk-{secrets.token_hex(16)}"
        self._prepare(call, names, key)
        self._was_done = False
        self.proxy.calls.clear()
        self._provider.respond_by(lambda request: self._answer(call, names, request))
        response = self._invoke(call.event(names, key))
        operations = list(self.proxy.calls)
        return Sent(call, names, key, response, operations, self._was_done)

    def send_with(self, call: Call, step: "Step", fault: str, *others: str) -> Sent:
        """Send a call while an operation of AWS fails from a step on; `others` always fail."""
        self.proxy.faults |= dict.fromkeys((step.operation, *others), fault)
        self.proxy.spared[step.operation] = step.number
        try:
            return self.send(call)
        finally:
            self.proxy.restore()

    def unowned_ids(self, sent: Sent) -> list[str]:
        """The new ids that the caller has read, and that have no owner in the table."""
        names, text = sent.names, sent.response.body.decode()
        rows = {
            names.made: (f"T#acme#R#{names.made}", "LINK"),
            names.made_conversation: (f"T#acme#C#{names.made_conversation}", "LINK"),
            names.made_file: (f"T#acme#file#{names.made_file}", "LINK"),
            names.item: (f"T#acme#X#{names.item}", "ITEM"),
        }
        is_compaction = sent.call.path.endswith("compact")  # no request can name its ids
        given = {} if is_compaction else {id: key for id, key in rows.items() if id in text}
        return [id for id, key in given.items() if self.gateway.row(*key) is None]

    def counted(self, sent: Sent) -> tuple[int, int]:
        """Nano-dollars and responses in flight that the call's key is counted with."""
        row = self.gateway.row(f"T#acme#L#{key_id(sent.key)}", "LIMITS") or {}
        kinds = {name.rpartition("_")[2][0]: int(row[name]) for name in row if "key_" in name}
        return kinds.get("u", 0), kinds.get("n", 0)

    def _prepare(self, call: Call, names: Names, key: str) -> None:
        """Write the rows of the key and of what the call names."""
        rows, now = [key_row(key, "acme", limits=LIMITS)], int(time.time())
        owned = {
            "{owned}": ("response", names.owned),
            "{store}": ("vector_store", names.store),
            "{conversation}": ("conversation", names.conversation),
        }
        named = call.path + ("{owned}" if call.body and "OWNED" in call.body.values() else "")
        for kind, id in (each for name, each in owned.items() if name in named):
            status = "in_progress" if kind == "response" else "active"
            link = make_link(
                id=id, kind=kind, status=status, created_ms=now * 1000, expires_at=now + 3600
            )
            rows.append({n: v for n, v in link_row(link).items() if v is not None})
        self.gateway.put_all(rows)

    def _answer(self, call: Call, names: Names, request: Any) -> Script:
        if request.headers.get("x-client-request-id", "").startswith(SETTLING):
            id = request.line.split()[1].rpartition("/")[2]
            return (encode_response(json.dumps(make_response(id)).encode()),)
        self._was_done = True
        return self.shape(call.answer(names))


def key_id(key: str) -> str:
    return str(key_row(key, "acme")["id"])


@contextmanager
def run_rig(
    gateway: Gateway,
    provider: FakeProvider,
    folder: Path,
    table_seconds: float,
    address: str | None = None,  # of what stands before the provider
) -> Iterator[Rig]:
    base_url = f"{address or provider.address}/v1"
    target = {"provider": "openai", "base_url": base_url, "models": ["gpt-5"]}
    options = {"key_cache_seconds": 0, "table_seconds": table_seconds}
    config = folder / "config.json"
    config.write_text(json.dumps({"gateway": options, "targets": {"openai": target}}))
    gateway.close_circuits()  # to close one would be a call more
    with (
        run_aws_proxy(gateway.aws_endpoint) as proxy,
        run_function(proxy.address, config, folder / "log") as invoke,
    ):
        yield Rig(gateway, provider, proxy, invoke)
