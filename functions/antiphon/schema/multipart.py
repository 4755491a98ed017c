"""Reads a few short fields of a form where they stand: multipart/form-data, RFC 7578 and RFC 2046.

The form goes to the provider byte for byte, so that a second reader reads it. What readers could
read differently is refused: a field that only the provider sees could name another tenant's file.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from antiphon.errors import InvalidRequest

MAX_PARTS = 1_000
MAX_HEAD_BYTES = 16_384  # of one part
MAX_NAME_BYTES, MAX_FIELD_BYTES = 512, 512
FORM_TYPE = "multipart/form-data"
SINGLE_FIELDS = {"purpose", "file_id"}
NESTED_FIELD = "expires_after"  # [anchor], [seconds]

TCHAR = r"!#$%&'*+.^_`|~0-9A-Za-z-"  # RFC 9110, 5.6.2, as characters of a class
BOUNDARY_CHARS = r"0-9A-Za-z'()+_,\-./:=?"  # RFC 2046, 5.1.1; there a space may stand inside
UTF_8 = r'(?:[ \t]*;[ \t]*charset="?utf-8"?)?'
DECLARATION = re.compile(
    rf"{FORM_TYPE}{UTF_8}[ \t]*;[ \t]*boundary="
    rf'(?:"([{BOUNDARY_CHARS} ]{{0,69}}[{BOUNDARY_CHARS}])"|([{TCHAR}/:=?]{{1,70}}))'
    rf"{UTF_8}[ \t]*;?[ \t]*",
    re.IGNORECASE,
)
LINE_REST = re.compile(rb"(--)[ \t]*+(?:\r\n|\Z)|[ \t]*+\r\n")  # after the boundary
HEAD = re.compile(b"(?:[%b]++:[\t -~\x80-\xff]*+\r\n)*+\r\n" % TCHAR.encode())
PARAM = b'([%b]++)=("(?:[^"\\\\]|\\\\.)*+"|[%b]++)[ \t]*+' % (TCHAR.encode(), TCHAR.encode())
NEXT_PARAM = re.compile(b"[ \t]*+;[ \t]*+" + PARAM)
DISPOSITION = re.compile(b"form-data(?:%b)*+[ \t;]*+" % NEXT_PARAM.pattern, re.IGNORECASE)
# Also inside a quoted file name: some readers split at each semicolon first.
NAMES = re.compile(rb";[ \t]*+name[ \t]*+(?:\*[0-9*]*+[ \t]*+)?=", re.IGNORECASE)
ESCAPED = re.compile(r'\\(["\\])')
PERCENT_ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}  # of browsers, and no others
WORD = re.compile(r"[a-z0-9_]+")
# Charsets that have ASCII's bytes for its characters.
PLAIN_TYPE = re.compile(
    rb'(?:text/plain(?:[ \t]*;[ \t]*charset="?(?:utf-8|us-ascii|iso-8859-1|windows-1252)"?)?)?',
    re.IGNORECASE,
)
PLAIN_ENCODINGS = {b"", b"7bit", b"8bit", b"binary"}  # RFC 2045, 6.2: the bytes as they are
FIELD_HEADERS = {
    b"content-disposition",
    b"content-length",
    b"content-transfer-encoding",
    b"content-type",
}


@dataclass(frozen=True)
class Form:
    """What the gateway reads of a form."""

    fields: Mapping[str, str]  # `purpose`, `file_id` and those of `expires_after`
    names: tuple[str, ...]  # of all parts, in their order
    file_bytes: int  # of all files together


@dataclass(frozen=True)
class Part:
    """Where the content of a part stands in the form, and what its head says."""

    name: str
    headers: Mapping[bytes, bytes]  # names in lower case
    is_file: bool
    start: int
    end: int

    @property
    def is_plain(self) -> bool:
        """Whether its content is text that all readers take as it stands."""
        encoding = self.headers.get(b"content-transfer-encoding", b"").lower()
        is_text = PLAIN_TYPE.fullmatch(self.headers.get(b"content-type", b"")) is not None
        is_known = self.headers.keys() <= FIELD_HEADERS and encoding in PLAIN_ENCODINGS
        return is_known and is_text and not self.is_file


def is_form(content_type: str) -> bool:
    """Whether a body of this type is a form: it need not be one that can be read."""
    return content_type.partition(";")[0].strip().lower() == FORM_TYPE


def scan_form(content_type: str, body: bytes) -> Form:
    """Raise InvalidRequest for a form that cannot be read, or that two readers could differ on."""
    fields: dict[str, str] = {}
    names: list[str] = []
    file_bytes = 0
    for start, end in _find_parts(body, b"--" + _read_boundary(content_type)):
        part = _read_head(body, start, end)
        names.append(part.name)
        file_bytes += part.end - part.start if part.is_file else 0
        if len(names) > MAX_PARTS:
            raise _invalid(f"it has more than {MAX_PARTS:,} parts. Send fewer")
        if not _is_wanted(part.name):
            continue
        if part.name in fields:
            raise _invalid(f"it has the field '{part.name}' twice. Send it once", part.name)
        fields[part.name] = _read_field(body, part)
    return Form(fields, tuple(names), file_bytes)


def form_parts(content_type: str, body: bytes) -> list[bytes]:
    """Return the parts of a form with their heads, in their order, without its boundary.

    Raise InvalidRequest where the type names no boundary.
    """
    return body.split(b"--" + _read_boundary(content_type))


def _read_boundary(content_type: str) -> bytes:
    found = DECLARATION.fullmatch(content_type.strip(" \t"))
    if found is None:
        raise _invalid(
            f"its Content-Type is not '{FORM_TYPE}; boundary=…' with one boundary of at most 70 "
            "characters. Do not set this header yourself: the library that writes the form does"
        )
    return (found[1] or found[2]).encode()


def _find_parts(body: bytes, delimiter: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each part begins and ends; what is before the first and after the last is none.

    The delimiter may not stand anywhere else: some readers split at each.
    """
    start: int | None = None
    at = body.find(delimiter)
    while at >= 0:
        rest = LINE_REST.match(body, at + len(delimiter))
        is_line = at == 0 or body[max(at - 2, 0) : at] == b"\r\n"
        if rest is None or not is_line:
            raise _invalid(
                f"its boundary stands at byte {at} without being a line of its own between CRLF. "
                "Write the form with a library, or choose a boundary that no part contains"
            )
        if start is not None:
            yield start, at - 2
        start = rest.end()
        at = body.find(delimiter, start)
        if rest[1]:
            break
    else:
        raise _invalid(
            "it does not end with its boundary and '--'. It may have been cut: send it whole"
        )
    if at >= 0:
        raise _invalid("it continues after its last boundary. Send nothing behind that")


def _read_head(body: bytes, start: int, end: int) -> Part:
    """Read the headers of a part, and its name."""
    found = HEAD.match(body, start, max(start, min(end, start + MAX_HEAD_BYTES)))
    if found is None:
        raise _invalid(
            f"the part at byte {start} has no headers that end with an empty line, each a line of "
            f"its own with CRLF, {MAX_HEAD_BYTES:,} bytes at most. Write the form with a library"
        )
    fields = [line.partition(b":") for line in found[0].split(b"\r\n")[:-2]]
    headers = {field.lower(): value.strip(b" \t") for field, _, value in fields}
    if len(headers) < len(fields):
        raise _invalid(f"the part at byte {start} has a header twice. Send it once")
    size = headers.get(b"content-length", b"%d" % (end - found.end()))
    if size != b"%d" % (end - found.end()):
        raise _invalid(f"the part at byte {start} has another length than its header says")
    name, is_file = _read_disposition(headers.get(b"content-disposition", b""), start)
    return Part(name, headers, is_file, found.end(), end)


def _read_disposition(value: bytes, start: int) -> tuple[str, bool]:
    """Return the name of a part, and whether it is a file."""
    found = NEXT_PARAM.findall(value) if DISPOSITION.fullmatch(value) else []
    params = {param.lower(): quoted for param, quoted in found}
    name = params.get(b"name")
    if name is None or len(params) < len(found) or len(NAMES.findall(value)) > 1:
        raise _invalid(
            f"the part at byte {start} has no Content-Disposition of the form "
            "'form-data; name=\"…\"' with one name, and each parameter once. Write it like that"
        )
    if len(name) > MAX_NAME_BYTES:
        raise _invalid(f"the part at byte {start} has a name of over {MAX_NAME_BYTES} bytes")
    try:
        text = name.decode()
    except UnicodeDecodeError as exc:
        raise _invalid(f"the name of the part at byte {start} is not UTF-8") from exc
    return _unquote(text), any(param.startswith(b"filename") for param in params)


def _unquote(text: str) -> str:
    """Return a name without quotes and escapes."""
    name = ESCAPED.sub(r"\1", text[1:-1]) if text.startswith('"') else text
    for escape, character in PERCENT_ESCAPES.items():
        name = name.replace(escape, character)
    return name


def _is_wanted(name: str) -> bool:
    """Raise InvalidRequest for another spelling of a name, which a lenient reader could take."""
    if name in SINGLE_FIELDS or name.startswith((f"{NESTED_FIELD}[", f"{NESTED_FIELD}.")):
        return True
    word = WORD.search(unquote(name.replace("\\", "")).casefold())
    plain = word[0] if word else ""
    if plain in {*SINGLE_FIELDS, NESTED_FIELD, "_charset_"}:
        raise _invalid(f"it has a field whose name is nearly '{plain}'. Write '{plain}'", plain)
    return False


def _read_field(body: bytes, part: Part) -> str:
    """Return the content of a field: ASCII, as all values are that such a field may have."""
    content = body[part.start : min(part.end, part.start + MAX_FIELD_BYTES + 1)]
    if len(content) > MAX_FIELD_BYTES:
        raise _invalid(f"the field '{part.name}' is longer than {MAX_FIELD_BYTES} bytes", part.name)
    if not (content.isascii() and part.is_plain):
        raise _invalid(
            f"the field '{part.name}' is not plain ASCII text. Send it without a file name, a "
            "transfer encoding, and headers other than Content-Disposition",
            part.name,
        )
    return content.decode()


def _invalid(reason: str, param: str = "body") -> InvalidRequest:
    return InvalidRequest(
        f"The form could not be read: {reason}.", param=param, code="invalid_form"
    )
