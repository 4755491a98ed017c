"""Rows of API keys without a table, and a clock that tests set."""

from antiphon.errors import Unauthenticated
from antiphon.http import Request
from antiphon.store.keys import ApiKey

NOW = 1_800_000_000
KEY = "sk-antiphon-of-acme"


class Clock:
    def __init__(self):
        self.now = float(NOW)

    def __call__(self):
        return self.now


class FakeKeyRows:
    """The rows by their keys, and how often they were read."""

    def __init__(self, **rows):
        self.rows = {KEY: ApiKey(id="key_1", tenant="acme", **rows)}
        self.reads = 0

    def get(self, key):
        self.reads += 1
        return self.rows.get(key)

    def revoke(self):
        self.rows[KEY] = ApiKey(id="key_1", tenant="acme", revoked_at=NOW)


def identify(auth, key=KEY):
    """The caller with this key, or None."""
    request = Request("req_1", "GET", headers={"authorization": f"Bearer {key}"})
    try:
        return auth.identify(request)
    except Unauthenticated:
        return None
