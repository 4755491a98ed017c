"""The largest request body, and what to do instead of sending a larger one.

Lambda accepts events of 6 MB, and a form is a third longer there: it arrives as base64. So a file
of more than 4.5 MB can only be sent in parts, which no client does by itself.
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
https://platform.openai.com/docs/api-reference/uploads
"""

from collections.abc import Mapping

from antiphon.errors import BodyTooLarge
from antiphon.schema.multipart import is_form

PART_BYTES = 4 * 1024 * 1024
FORM_BYTES = 1024  # of a form around a part: names and boundaries
UPLOAD = (
    'client.uploads.upload_file_chunked(file="report.pdf", mime_type="application/pdf", '
    'purpose="assistants", part_size={})'
)


def body_too_large(
    headers: Mapping[str, str], body: bytes, limit: int, owner: str | None = None
) -> BodyTooLarge:
    """Return the refusal; `owner` says whose limit it is, if it is not the gateway's."""
    limited = "the limit" if owner is None else f"the limit of {owner}"
    size = f"It has {len(body):,} bytes; {limited} is {limit:,}."
    way_out = _way_out(headers.get("content-type", ""), limit)
    return BodyTooLarge(f"The request body is too large. {size}{way_out}")


def _way_out(content_type: str, limit: int) -> str:
    """Return what an SDK's user can do, as code to paste; nothing where no part would fit."""
    if limit <= FORM_BYTES:
        return ""
    part = "4 * 1024 * 1024" if limit >= PART_BYTES + FORM_BYTES else limit - FORM_BYTES
    upload = UPLOAD.format(part)
    if is_form(content_type):
        return f" Upload a large file in parts: {upload}. It returns an upload with its `file`."
    return (
        " Send no file as base64: name its address as `file_url` or `image_url`, or upload it and "
        f"name it by its `file_id`: {upload}.file.id"
    )
