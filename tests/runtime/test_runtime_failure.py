"""Failures made from exceptions, also from unusual ones."""

import base64
import json

from antiphon.runtime.failure import Failure, Fault


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError


def thrown(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_an_exception_that_cannot_be_printed_is_still_reported():
    assert Failure.from_exception(thrown(Unprintable())).error_type == "Unprintable"


def test_a_fault_shows_the_trace_of_its_cause():
    fault = Fault("Runtime.X", "why")
    fault.__cause__ = thrown(ValueError())
    failure = Failure.from_exception(fault)
    assert (failure.error_type, failure.message, len(failure.trace)) == ("Runtime.X", "why", 1)


def test_a_lone_surrogate_survives_as_json():
    document = json.loads(Failure("T", "\ud800").to_json("id"))
    assert document["errorMessage"] == "\ud800"


def test_trailers_stay_within_what_a_go_server_reads():
    failure = Failure("T" * 100, "\U0001f600" * 5000, ("frame\n",) * 500)
    trailers = failure.encode_trailers("8476a536-e9f4-11e8-9739-2dfe598c3fcd")
    assert len(trailers) < 4096
    document = json.loads(base64.b64decode(trailers.split(b": ")[2]))
    assert document["errorMessage"].startswith("\U0001f600" * 100)


def test_a_long_trace_is_dropped_before_the_message_is_shortened():
    failure = Failure("T", "m" * 1000, ("frame\n",) * 500)
    document = json.loads(base64.b64decode(failure.encode_trailers("id").split(b": ")[2]))
    assert (document["errorMessage"], document["stackTrace"]) == ("m" * 1000, [])


def test_short_trailers_keep_the_trace():
    failure = Failure("T", "m", ("frame\n",))
    document = json.loads(base64.b64decode(failure.encode_trailers("id").split(b": ")[2]))
    assert document["stackTrace"] == ["frame\n"]


def test_a_type_that_latin_1_cannot_hold_is_escaped():
    assert (
        Failure("\u2603", "")
        .encode_trailers("")
        .startswith(b"Lambda-Runtime-Function-Error-Type: \\u2603\r\n")
    )
