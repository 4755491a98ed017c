"""Reads bodies of the type multipart/form-data.

https://datatracker.ietf.org/doc/html/rfc7578, strictly: each line ends with CRLF, and the parts
begin and end with the body. A proxy in front must not change a byte of it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from infra.local.simulator.errors import ApiError, invalid_parameter, missing_parameter

FORM_TYPE = "multipart/form-data"
BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))')
PARAMETER = re.compile(r';\s*(name|filename)="((?:[^"\\]|\\.)*)"')
TYPE_LINE = re.compile(r"(?im)^content-type:\s*(\S.*?)\s*$")


@dataclass(frozen=True)
class FormFile:
    """A part of a form that has a file name."""

    name: str
    filename: str
    content: bytes
    type: str


@dataclass
class Form:
    """The parts of a form: texts by name, and files in the order of the body."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[FormFile] = field(default_factory=list)

    def file(self, name: str) -> FormFile:
        """Returns the first file of this name. Raises ApiError without one."""
        found = next((file for file in self.files if file.name == name), None)
        if found is None:
            raise missing_parameter(name)
        return found

    def named(self, name: str) -> Mapping[str, str]:
        """Returns the fields `name[key]` by key; Microsoft's examples write them `name.key`."""
        nested = re.compile(rf"{name}(?:\[(\w+)\]|\.(\w+))")
        found = {nested.fullmatch(key): text for key, text in self.fields.items()}
        return {match[1] or match[2]: text for match, text in found.items() if match}


def parse_form(content_type: str, body: bytes) -> Form:
    """Raises ApiError for a body that is no valid form."""
    match = BOUNDARY.search(content_type)
    if match is None or not content_type.lower().startswith(FORM_TYPE):
        raise _invalid_form(f"expected '{FORM_TYPE}' with a boundary, but got '{content_type}'")
    delimiter = b"\r\n--" + (match[1] or match[2]).encode()
    before, *parts = (b"\r\n" + body).split(delimiter)
    if before or not parts or parts.pop().rstrip(b"\r\n") != b"--":
        raise _invalid_form("the parts do not begin and end with the boundary of the content type")
    form = Form()
    for part in parts:
        _add_part(form, part)
    return form


def _add_part(form: Form, part: bytes) -> None:
    head, blank, content = part.partition(b"\r\n\r\n")
    try:
        lines = head.decode()
    except UnicodeDecodeError as exc:
        raise _invalid_form("the header of a part is not UTF-8") from exc
    parameters = dict(PARAMETER.findall(lines))
    if not blank or "name" not in parameters:
        raise _invalid_form("a part has no name")
    if "filename" in parameters:
        kind = TYPE_LINE.search(lines)
        file_type = kind[1] if kind else "application/octet-stream"
        form.files.append(FormFile(parameters["name"], parameters["filename"], content, file_type))
    else:
        form.fields[parameters["name"]] = content.decode(errors="replace")


def _invalid_form(fault: str) -> ApiError:
    return invalid_parameter("body", f"{fault}.", "invalid_multipart")
