"""Uses of a container: each is recorded until it has been idle for 20 minutes, once a minute."""

import time
from dataclasses import replace

import pytest

from antiphon.recording.resources import ResourceRecorder
from antiphon.recording.tracker import DurableLinks, Stores
from antiphon.store.links import Links
from antiphon.upstream.outcome import UpstreamResponse
from tests.support.aws import refuse_with
from tests.support.dynamodb import make_link

LATER = 4_000_000_000


def used_at(cloud):
    details = cloud.table.get("T#acme#container#cntr_1", "LINK").get("details")
    assert details is None or details["name"] == "mine"
    return (details or {}).get("used_at")


def put(cloud, age=0, **more):
    """Writes the link of a container that is so many seconds old."""
    created_ms = int(time.time() - age) * 1000
    fields = {"details": {"name": "mine"}, "expires_at": LATER, "created_ms": created_ms, **more}
    link = make_link(kind="container", id="cntr_1", **fields)
    Links(cloud.table).put(link)
    return link


def name_in_a_response(cloud, link):
    now_ms = int(time.time() * 1000)
    Links(cloud.table).own(replace(link, request_id="req_later", created_ms=now_ms, details=None))


def call(cloud, link, status=200):
    stores = Stores(DurableLinks(Links(cloud.table), cloud.queue), None, 30, 3650)
    recorder = ResourceRecorder(stores, put_new=None)
    response = UpstreamResponse("openai", status, {}, b"{}")
    assert recorder.record_use(response, link).status == status


@pytest.mark.parametrize("use", [call, name_in_a_response])
@pytest.mark.parametrize(
    ("age", "is_recorded"), [(50, False), (70, True), (1_190, True), (1_210, False)]
)
def test_a_use_is_recorded_while_it_runs(cloud, use, age, is_recorded):
    before = int(time.time())
    use(cloud, put(cloud, age))
    found = used_at(cloud)
    assert (found is not None and found >= before) is is_recorded


@pytest.mark.parametrize("use", [call, name_in_a_response])
@pytest.mark.parametrize("more", [{"deleted_at": 1}, {"key_id": ""}], ids=["deleted", "adopted"])
def test_what_has_ended_or_was_made_elsewhere_has_no_uses(cloud, use, more):
    use(cloud, put(cloud, 300, **more))
    assert used_at(cloud) is None


def test_what_its_provider_refuses_is_no_use(cloud):
    call(cloud, put(cloud, 300), status=404)
    assert used_at(cloud) is None


def test_a_use_that_cannot_be_recorded_does_not_fail_the_call(cloud, caplog):
    link = put(cloud, 300)
    cloud.fail(cloud.dynamodb, "UpdateItem", refuse_with("AccessDeniedException"))
    cloud.fail(cloud.sqs, "SendMessage")
    call(cloud, link)
    assert "use not recorded" in caplog.text
