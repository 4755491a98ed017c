"""The guards of ownership: whose an id is, and that it is recorded before anybody gets it."""

from tests.mutants.guard import guard

OWNERSHIP = [
    guard(
        "a link belongs to one tenant",
        "store/links.py",
        'return f"T#{tenant}#{SHORT_NAMES.get(kind, kind)}#{id}"',
        'return f"T#acme#{SHORT_NAMES.get(kind, kind)}#{id}"',
        "e2e/test_ownership.py::test_other_tenants_learn_nothing_and_no_provider_is_called",
    ),
    guard(
        "a deleted id is refused",
        "store/links.py",
        "return self.deleted_at is None and time.time() < self.expires_at",
        "return time.time() < self.expires_at",
        "store/test_link_rows.py",
    ),
    guard(
        "an expired id is refused",
        "store/links.py",
        "return self.deleted_at is None and time.time() < self.expires_at",
        "return self.deleted_at is None",
        "store/test_link_rows.py",
    ),
    guard(
        "an unknown item is refused",
        "ownership.py",
        "if (kind, id) not in found and id not in shared:",
        "if id is None:",
        "e2e/test_ownership.py::test_other_tenants_learn_nothing_and_no_provider_is_called",
    ),
    guard(
        "a file, store or container in a body must be owned",
        "schema/create.py",
        "iter(()) if is_plain else resource_references(self._document)",
        "iter(())",
        "e2e/test_resource_ownership.py",
    ),
    guard(
        "an id is recorded before it is passed on",
        "recording/tracker.py",
        """                if batch.responses or CONTAINER_ID in batch.data:
                    self._observe(batch)
""",
        """                if batch.responses:
                    yield batch.data
                    self._observe(batch)
                    continue
                if CONTAINER_ID in batch.data:
                    self._observe(batch)
""",
        "recording/test_recording_stream.py",
        "e2e/test_links.py::test_the_link_is_there_before_the_event_that_names_it",
    ),
    guard(
        "without table and queue no id is given out",
        "recording/tracker.py",
        """            metrics.count(LINK_NOT_WRITTEN)
            raise
""",
        """            metrics.count(LINK_NOT_WRITTEN)
            return
""",
        "recording/test_durable_links.py",
    ),
    guard(
        "a container is recorded before it is passed on",
        "recording/tracker.py",
        """                if batch.responses or CONTAINER_ID in batch.data:
                    self._observe(batch)
""",
        """                if batch.responses:
                    self._observe(batch)
""",
        "recording/test_recording_containers.py",
        "e2e/test_containers.py::test_it_is_owned_before_the_event_that_names_it",
    ),
    guard(
        "what repeats the caller's words gives no container away",
        "recording/reading.py",
        'for item in _objects(response.get("output")):',
        "for item in (i for each in response.values() for i in _objects(each)):",
        "recording/test_recording_containers.py",
        "e2e/test_containers.py::test_what_an_answer_repeats_of_the_caller_is_not_owned",
    ),
]
CONDITIONAL_WRITES = [
    guard(
        "a deleted container stays deleted",
        "store/links.py",
        """        try:
            self._table.put(link_row(link), "attribute_not_exists(pk)")
""",
        """        try:
            self._table.put(link_row(link))
""",
        "recording/test_recording_containers.py",
    ),
    guard(
        "a link is not written over a deleted one",
        "store/links.py",
        "(request_id = :request_id AND attribute_not_exists(deleted_at))",
        "(request_id = :request_id)",
        "store/test_link_rows.py",
        "recording/test_durable_links.py",
    ),
    guard(
        "a link is changed by its own request only",
        "store/links.py",
        'OURS = "#request_id = :request_id"\n',
        'OURS = "(#request_id = :request_id OR attribute_exists(pk))"\n',
        "store/test_link_rows.py",
    ),
    guard(
        "a final outcome is not overwritten",
        "store/links.py",
        "only_if=OURS_AND_NOT_FINAL if finals else OURS,",
        'only_if=f"({OURS_AND_NOT_FINAL}) OR attribute_exists(pk)" if finals else OURS,',
        "store/test_link_rows.py",
    ),
    guard(
        "a key that is in use is not claimed again",
        "store/idempotency.py",
        "attribute_not_exists(pk) OR free_at <= :now OR",
        "attribute_not_exists(pk) OR free_at >= :now OR",
        "idempotency/test_idempotency_claims.py",
    ),
    guard(
        "no counter goes above its maximum",
        "store/reservations.py",
        "OR #{i.counter} <= :most_{i.counter})",
        "OR #{i.counter} <> :most_{i.counter})",
        "limits/test_limits_admission.py",
        "limits/test_limits_counters.py",
    ),
    guard(
        "a reservation is closed once",
        "store/reservations.py",
        'only_if=f"#{name}.#back = :back",',
        'only_if=f"#{name}.#back = :back OR attribute_exists(pk)",',
        "limits/test_limits_outcomes.py",
        "limits/test_limits_expiry.py",
    ),
    guard(
        "a live reservation is not given back",
        "store/reservations.py",
        '["until"] <= now]',
        '["until"] >= now]',
        "limits/test_limits_expiry.py",
    ),
    guard(
        "usage is counted once",
        "rollup/counting.py",
        'only_if="#version = :known" if marker else "attribute_not_exists(#version)",',
        'only_if="#version = :known OR attribute_exists(pk)" if marker else "attribute_not_exists(pk) OR attribute_exists(pk)",',
        "rollup/test_rollup_repeats.py",
        "rollup/test_rollup_races.py",
    ),
]
