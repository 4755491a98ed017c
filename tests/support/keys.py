"""Keys on record, and a clock that tests set."""

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


class Rows:
    """What is on record, and how often it was asked for."""

    def __init__(self, **rows):
        self.rows = {KEY: ApiKey(id="key_1", tenant="acme", **rows)}
        self.reads = 0

    def get(self, key):
        self.reads += 1
        return self.rows.get(key)

    def revoke(self):
        self.rows[KEY] = ApiKey(id="key_1", tenant="acme", revoked_at=NOW)


def accepted(auth, key=KEY):
    request = Request("req_1", "GET", headers={"authorization": f"Bearer {key}"})
    try:
        return auth.identify(request)
    except Unauthenticated:
        return None
