"""Keys in a table of this process."""

import pytest

from antiphon.idempotency import Idempotency
from antiphon.store.idempotency import Claims
from tests.support import aws


@pytest.fixture
def cloud():
    with aws.fake_aws() as made:
        yield made


@pytest.fixture
def idempotency(cloud):
    """Without what only a replay needs."""
    return Idempotency(Claims(cloud.table), None, None, None, None)
