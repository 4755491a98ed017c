"""What log lines say: of an exception neither what a caller sent, nor its message."""

import json
import re

import pytest

from antiphon.observability import failure_fields, log_request, logger


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


def test_the_line_of_a_request_has_what_all_lines_have_and_its_trace(capsys, monkeypatch):
    monkeypatch.setenv("_X_AMZN_TRACE_ID", "Root=1-5759e988;Parent=53995c3f;Sampled=1")
    log_request("answered", "id-1", {"ms": 1.5})
    line = json.loads(capsys.readouterr().out)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("timestamp"))
    assert line == {
        "level": "INFO",
        "message": "answered",
        "service": "antiphon",
        "request_id": "id-1",
        "ms": 1.5,
        "xray_trace_id": "1-5759e988",
    }


@pytest.mark.parametrize(
    "text", ["plain", "\u00e4", "\u2028", "\x7f", "\x1f\b\f\r\n", '"\\/', "\ud800"]
)
def test_a_line_is_ascii_on_one_line_whatever_the_path_was(capsys, text):
    log_request("answered", "id-1", {"path": text, "ms": 0.1})
    line = capsys.readouterr().out
    assert f'"path":{json.dumps(text)},"ms":0.1' in line
    assert line.isascii()
    assert line.count("\n") == 1


def test_the_line_of_a_request_is_not_written_above_its_level(capsys):
    before = logger.log_level
    logger.setLevel("WARNING")
    log_request("answered", "id-1", {})
    logger.setLevel(before)
    assert capsys.readouterr().out == ""
