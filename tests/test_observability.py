"""What a log line says of an exception: its message may contain what a caller sent."""

import json
import re

import pytest

from antiphon.observability import failure_fields


@pytest.mark.parametrize(
    ("fail", "error"),
    [
        (lambda text: {}[text], "KeyError"),
        (int, "ValueError"),
        (json.loads, "JSONDecodeError"),
        (lambda text: text.encode("ascii"), "UnicodeEncodeError"),
    ],
)
def test_an_exception_is_logged_by_its_type_and_place_alone(fail, error):
    with pytest.raises(Exception) as caught:  # noqa: PT011  the type is what is compared
        fail("PROMPT-\u00e4")
    fields = failure_fields(caught.value)
    assert fields.keys() == {"error", "where"}
    assert fields["error"] == error
    assert re.fullmatch(r"\w+\.py:\d+", fields["where"])
