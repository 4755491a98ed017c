"""Estimates of the tokens that a request may use."""

import pytest

from antiphon.limits.admission import TokenEstimate, estimate_tokens
from antiphon.schema.other_bodies import Compact
from tests.support.dynamodb import make_link
from tests.support.limits import make_create, make_usage

IMAGE = b'{"image_url":"data:image/png;base64,' + b"A" * 300_000 + b'"}'
FILE = b'{"file_data":"data:application/pdf;base64,' + b"A" * 300_000 + b'"}'


@pytest.mark.parametrize(
    ("content", "least", "most"),
    [
        (b"", 1, 1),
        (b"x" * 3000, 1001, 1001),
        (IMAGE, 1600, 1620),
        (IMAGE + IMAGE, 3200, 3240),
        (FILE, 10_000, 10_100),
        (b'"data:', 1, 10),  # without an end
    ],
)
def test_input_is_estimated_by_length_except_images_and_files(content, least, most):
    assert least <= estimate_tokens(make_create(), content, None, 0).input <= most


@pytest.mark.parametrize(
    ("body", "output", "is_bound"),
    [
        (make_create(), 500, False),
        (make_create(max_output_tokens=9), 9, True),
        (make_create(max_tokens=9), 9, True),
        (Compact.of({"model": "x"}), 500, False),
    ],
)
def test_output_is_the_requested_limit_or_the_default(body, output, is_bound):
    assert estimate_tokens(body, b"", None, 500) == TokenEstimate(1, output, is_bound)


@pytest.mark.parametrize(
    ("usage", "tokens"), [(make_usage(7, 3), 10), (None, 0), ({}, 0), ({"total_tokens": "many"}, 0)]
)
def test_the_tokens_of_the_continued_response_are_input(usage, tokens):
    estimate = estimate_tokens(make_create(), b"", make_link(usage=usage), 0)
    assert estimate.input == 1 + tokens
