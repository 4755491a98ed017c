"""A body that is too large: the message says how to send the file all the same."""

import pytest

from antiphon.schema.body_size import body_too_large

FORM = {"content-type": 'multipart/form-data; boundary="x"'}
JSON = {"content-type": "application/json"}


def refusal(headers, limit, owner=None):
    return str(body_too_large(headers, bytes(limit + 1), limit, owner))


@pytest.mark.parametrize(
    ("headers", "begins", "ends"),
    [
        (FORM, "Upload a large file in parts: client.", "). It returns an upload with its `file`."),
        (JSON, "Send no file as base64: name its address as `file_url` ", ").file.id"),
        ({}, "Send no file as base64: name its address as `file_url` ", ").file.id"),
    ],
)
@pytest.mark.parametrize(
    ("limit", "part"), [(4_500_000, "4 * 1024 * 1024"), (1_000_000, "998976"), (1_025, "1")]
)
def test_the_message_is_code_to_paste(headers, begins, ends, limit, part):
    size, _, way_out = refusal(headers, limit).partition("; the limit is ")
    assert size == f"The request body is too large. It has {limit + 1:,} bytes"
    limit_text, _, way_out = way_out.partition(". ")
    assert limit_text == f"{limit:,}"
    assert way_out.startswith(begins)
    assert way_out.endswith(f'purpose="assistants", part_size={part}{ends}')


def test_it_names_the_owner_of_the_limit():
    assert "the limit of this key is 2,000. Upload" in refusal(FORM, 2_000, "this key")


def test_where_no_part_would_fit_none_is_proposed():
    assert refusal(FORM, 1_024).endswith("the limit is 1,024.")
