"""Whatever AWS does at any step of any call: nothing is paid twice, unowned or reserved for good."""

import itertools
import json

import pytest

from tests.faults.aws_matrix import CALLS, COST, Step, run_rig
from tests.faults.aws_proxy import FAULTS, HANGING, run_aws_proxy
from tests.support.concurrency import IS_SOAK, wait_for
from tests.support.function import make_create_event, run_function

WRITES = ("PutItem", "UpdateItem", "BatchWriteItem", "TransactWriteItems")
# A read that hangs is in a test of its own; one that is made and lost is as one that is not made.
ONLY_FOR_WRITES = {"lost", *HANGING}
LIKE_REFUSED, EXAMPLES = (
    {"throttled", "denied", "failing"},
    {"create", "add items"},
)
# Which make an id, where nothing else could record it.
MAKING = {"create", "conversation implied", "stream", "open conversation", "add items", "make file"}
# The same steps for all calls: key and circuits are read; where nothing is reserved, it is counted.
ENTRY = {Step("GetItem", 0), Step("GetItem", 1)}
COUNT = {Step("UpdateItem", 0)}
WITH_ENTRY = {"create", "usage"}
# One call of each kind; all calls in the soak.
KINDS = MAKING | WITH_ENTRY | {"compact", "retrieve", "list", "delete conversation"}
SENT = [name for name in CALLS if IS_SOAK or name in KINDS]


@pytest.fixture(scope="module")
def rig(impatient, _provider, tmp_path_factory):
    with run_rig(impatient, _provider, tmp_path_factory.mktemp("faults"), 3) as running:
        yield running


@pytest.fixture(scope="module")
def hasty_rig(impatient, _provider, tmp_path_factory):
    with run_rig(impatient, _provider, tmp_path_factory.mktemp("hasty-faults"), 0.5) as running:
        yield running


@pytest.fixture(scope="module")
def steps(rig, _provider):
    """The calls of the table that each kind of call makes."""
    found = {}
    for name in SENT:
        call = CALLS[name]
        sent = rig.send(call)
        assert sent.response.status == 200, (name, sent.response.body)
        same = set() if name in WITH_ENTRY else ENTRY if call.is_paid else ENTRY | COUNT
        found[name] = [step for step in sent.steps if step not in same]
    _provider.reset()
    return found


def chosen(fault):
    """The calls that meet a fault; all of them in the soak."""
    return EXAMPLES if fault in LIKE_REFUSED | HANGING and not IS_SOAK else SENT


def send_all(rig, steps, names, fault, *others):
    """Each of these calls with the fault at each of its calls of the table."""
    for name in names:
        call = CALLS[name]
        for step in steps[name]:
            if fault not in ONLY_FOR_WRITES or step.operation in WRITES:
                yield (name, *step), rig.send_with(call, step, fault, *others)


def lost(rig, sent):
    """What is not as it must be in the end: ids without an owner, and money that stays reserved.

    A call that is as it must be is taken out: it need not be read again.
    """
    found = {}
    for where, one in list(sent.items()):
        paid = COST if one.call.is_paid and one.was_done else 0
        found[where] = rig.unowned_ids(one), rig.counted(one)
        if found[where] == ([], (paid, 0)):
            del sent[where], found[where]
    return found


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("provider")
def test_no_fault_of_the_table_loses_or_repeats_anything(rig, hasty_rig, steps, fault):
    sender = hasty_rig if fault in HANGING else rig
    sent = dict(send_all(sender, steps, chosen(fault), fault))
    assert [where for where, one in sent.items() if one.invites_retry] == []
    wait_for(lambda: lost(rig, sent), lambda found: not found)  # for the queue


@pytest.mark.usefixtures("provider")
def test_with_the_queue_away_as_well_no_id_is_given_out_unowned(rig, steps):
    names = CALLS if IS_SOAK else MAKING
    makes = {name: [s for s in steps[name] if IS_SOAK or s.operation in WRITES] for name in names}
    for where, one in send_all(rig, makes, names, "refused", "SendMessage"):
        assert not one.invites_retry, where
        items = {one.names.item} if one.response.status == 200 else set()
        assert set(rig.unowned_ids(one)) <= items, where  # a response's: refused as references


@pytest.mark.usefixtures("provider")
def test_a_table_that_hangs_takes_the_time_of_one_request(rig):
    """All of its calls together: each attempt but the last has its full time."""
    reads = dict.fromkeys(("BatchGetItem", "GetItem", "PutItem", "UpdateItem"), "hanging")
    rig.proxy.faults |= reads
    sent = rig.send(CALLS["create"])
    rig.proxy.restore()
    assert (sent.response.status, sent.was_done) == (503, False)
    assert sent.operations == ["GetItem"] * 2


CREDENTIALS = {"GetSecretValue": "openai", "GetWebIdentityToken": "azure"}
READ_FAULTS = ("throttled", "failing", "denied", "refused", "hanging")


def credential_target(provider, operation, fault):
    """A target of its own for each fault: its failure is cached for a second."""
    model = f"{operation}-{fault}".lower()
    if CREDENTIALS[operation] == "openai":
        return model, {
            "provider": "openai",
            "base_url": f"{provider.address}/v1",
            "models": [model],
        }
    app = {"tenant_id": "t", "client_id": "c", "identity": "aws", "authority": provider.address}
    azure = {"provider": "azure", "endpoint": provider.address, "models": {model: "d"}}
    return model, {**azure, "auth": "entra", "entra": app}


@pytest.fixture(scope="module")
def credential_function(impatient, _provider, tmp_path_factory):
    folder = tmp_path_factory.mktemp("credentials")
    pairs = itertools.product(CREDENTIALS, READ_FAULTS)
    targets = dict(credential_target(_provider, *pair) for pair in pairs)
    config = folder / "config.json"
    config.write_text(json.dumps({"targets": targets}))
    with (
        run_aws_proxy(impatient.aws_endpoint) as proxy,
        run_function(proxy.address, config, folder / "log") as invoke,
    ):
        yield proxy, invoke


@pytest.mark.parametrize("fault", READ_FAULTS)
@pytest.mark.parametrize("operation", CREDENTIALS)
def test_without_a_credential_nothing_is_sent_and_a_retry_is_safe(
    credential_function, provider, operation, fault
):
    proxy, invoke = credential_function
    proxy.faults = {operation: fault}
    model = f"{operation}-{fault}".lower()
    got = invoke(make_create_event({"model": model, "input": "x"}))
    assert (got.status, json.loads(got.body)["error"]["code"]) == (503, "target_credential_missing")
    assert "x-should-retry" not in got.headers
    assert provider.received == []
    assert operation in proxy.calls
