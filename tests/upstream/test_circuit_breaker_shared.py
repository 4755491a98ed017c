"""What one environment learns of a target the others go by, and one request asks it again."""

import threading

from botocore.exceptions import EndpointConnectionError

from antiphon.errors import Unavailable, UpstreamFailed, UpstreamNotReached, UpstreamTimeout
from antiphon.store.circuits import CIRCUITS_KEY, Circuits
from antiphon.upstream.circuit_breaker import PROBE_MS, CircuitBreaker
from antiphon.upstream.outcome import UpstreamResponse
from antiphon.upstream.timers import deadline_reached
from tests.support.routing import CANDIDATES, START, CircuitEnvironment

OK = UpstreamResponse("a", 200, {}, b"{}")
FAILURES = [
    UpstreamNotReached("m"),
    UpstreamTimeout("m"),
    UpstreamFailed("m"),
    *(UpstreamResponse("a", status, {}, b"{}") for status in (401, 403, 429, 500, 502, 503, 504)),
]
HARMLESS = [
    OK,
    deadline_reached(),
    *(UpstreamResponse("a", status, {}, b"{}") for status in (400, 404, 422)),
]


def test_every_environment_learns_of_it(two):
    here, there = two
    here.record_failure("b-east", **{"retry-after": "60"})
    assert there.order() == ["a", "b-east", "c"]
    there.read_circuits()
    assert there.order() == ["a", "c", "b-east"]


def test_a_longer_rest_is_not_made_shorter(two, clock):
    here, there = two
    here.record_failure("a", **{"retry-after": "60"})
    there.record_failure("a", **{"retry-after": "5"})
    clock.now += 10
    here.read_circuits()
    assert (here.order()[-1], there.order()[-1]) == ("a", "a")


def test_if_all_circuits_are_open_only_the_first_to_close_is_tried(two):
    here, _ = two
    for target, seconds in (("a", "60"), ("b-east", "20"), ("c", "40")):
        here.record_failure(target, **{"retry-after": seconds})
    assert here.order() == ["b-east"]


def test_the_only_target_is_always_tried(dynamo, two):
    here, _ = two
    here.record_failure("a", **{"retry-after": "60"})
    dynamo.calls.clear()
    assert here.order(CANDIDATES[0]) == ["a"]
    assert dynamo.calls == []


def test_one_of_many_requests_probes(dynamo, clock):
    everywhere = [CircuitEnvironment(dynamo, clock) for _ in range(64)]
    everywhere[0].record_failure("a", **{"retry-after": "5"})
    clock.now += 5
    for environment in everywhere:
        environment.read_circuits()
    together, firsts = threading.Barrier(64), []

    def ask(environment):
        together.wait()
        firsts.append(environment.order()[0])

    threads = [threading.Thread(target=ask, args=(e,)) for e in everywhere]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(firsts) == ["a"] + ["b-east"] * 63


def test_a_probe_that_goes_well_brings_the_target_back_for_all(two, clock):
    here, there = two
    here.record_failure("a", **{"retry-after": "5"})
    clock.now += 5
    assert here.order()[0] == "a"
    there.read_circuits()
    assert there.order()[0] == "b-east"  # the probe is out
    here.breaker.record("a", OK)
    clock.now += PROBE_MS / 1000
    assert there.order()[0] == "a"  # who asks for the probe learns that none is needed
    assert not there.circuits.open_until("a")


def test_a_probe_that_fails_spares_the_target_again_at_once(two, clock):
    here, _ = two
    here.record_failure("a", **{"retry-after": "5"})
    clock.now += 5
    assert here.order()[0] == "a"
    here.record_failure("a", FAILURES[0])
    assert here.order()[-1] == "a"
    clock.now += 30
    assert here.order()[0] == "a"


def test_a_probe_that_is_never_heard_of_is_made_by_another(two, clock):
    here, there = two
    here.record_failure("a", **{"retry-after": "5"})
    clock.now += 5
    assert here.order()[0] == "a"
    there.read_circuits()
    clock.now += PROBE_MS / 1000
    assert there.order()[0] == "a"


def test_a_recovery_does_not_undo_a_later_failure(two, clock):
    here, there = two
    here.record_failure("a", **{"retry-after": "5"})
    clock.now += 5
    assert here.order()[0] == "a"
    there.read_circuits()
    there.record_failure("a", **{"retry-after": "60"})
    here.breaker.record("a", OK)
    assert here.order()[-1] == "a"


def test_a_healthy_target_costs_no_call(dynamo, two):
    here, _ = two
    dynamo.calls.clear()
    for _ in range(5):
        assert here.order()[0] == "a"
        here.breaker.record("a", OK)
    assert dynamo.calls == []


def test_the_row_is_read_once_in_its_age_and_kept_while_the_table_is_busy(dynamo, two, clock):
    here, _ = two
    here.record_failure("a", **{"retry-after": "60"})
    circuits = Circuits(dynamo.table, clock, max_age=30)
    for seconds, calls in ((0, ["GetItem"]), (29.9, []), (30, ["GetItem"])):
        clock.now = START + seconds
        with dynamo.count_calls() as made:
            circuits.refresh()
        assert (made, bool(circuits.open_until("a"))) == (calls, True)
    dynamo.table.delete(*CIRCUITS_KEY)
    dynamo.client.meta.events.register("before-call.dynamodb.GetItem", fail)
    clock.now += 30
    circuits.refresh()
    assert circuits.open_until("a")  # as it was known


def fail(**_):
    raise EndpointConnectionError(endpoint_url="https://x")


def test_without_the_table_an_environment_goes_by_what_it_saw_itself(clock):
    class Gone:
        def update(self, _update, **_):
            raise Unavailable("m")

    circuits = Circuits(Gone(), clock)
    breaker = CircuitBreaker(circuits, 3, 30)
    breaker.record("a", UpstreamResponse("a", 503, {"retry-after": "9"}, b""))
    assert next(breaker.order(CANDIDATES)).target == "b-east"
    clock.now += 9
    assert next(breaker.order(CANDIDATES)).target == "a"
    breaker.record("a", OK)
    assert not circuits.open_until("a")
