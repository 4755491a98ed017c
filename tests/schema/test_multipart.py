"""Forms: what is read of them is what every other reader reads, or they are refused."""

import base64
import random
import tracemalloc
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.errors import InvalidRequest
from antiphon.schema.multipart import MAX_FIELD_BYTES, MAX_PARTS, Form, is_form, scan_form
from tests.schema.test_hostile_bodies import SIZE, count_calls
from tests.support.concurrency import IS_SOAK
from tests.support.forms import READERS, write_by_httpx, write_by_node

EXAMPLES = settings(max_examples=20_000 if IS_SOAK else 150, deadline=None)
B = "multipart/form-data; boundary=b"
NAMES = ["file", "data", "files[]", "default", "ä", "a b", "名", 'q"', "x;y=z"]
VALUES = ["", "assistants", "file-1", "a=b;c", " x ", "--b", "b"]
BOUNDARY = st.text("ab'()+_,-./:=? ", min_size=1, max_size=70).filter(lambda t: t[-1] != " ")


def part(name="file_id", content="file-1", headers="", disposition=None):
    disposition = disposition or f'form-data; name="{name}"'
    return f"--b\r\nContent-Disposition: {disposition}\r\n{headers}\r\n{content}\r\n"


def form(*parts, end="--b--\r\n"):
    return ("".join(parts) + end).encode()


def read_as(reader, content_type, body):
    """What another reader finds, or None where it refuses the form."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return READERS[reader](content_type, body)
    except Exception:  # noqa: BLE001  each has its own
        return None


def fields_of(pairs):
    wanted = ("purpose", "file_id", "expires_after[")
    return {name: content.decode() for name, content in pairs if name.startswith(wanted)}


@st.composite
def written_forms(draw):
    """Fields and files as httpx writes them; the contents have beginnings of the boundary."""
    boundary = draw(BOUNDARY)
    pieces = st.sampled_from([b"\r\n", b"--", b"\n", b"\0\xff", b"x", boundary[:-1].encode()])
    contents = st.lists(pieces, max_size=12).map(b"".join)
    fields = {
        name: draw(st.sampled_from(VALUES))
        for name in draw(
            st.lists(st.sampled_from(["purpose", "file_id", "expires_after[seconds]"]), unique=True)
        )
    }
    files = draw(st.lists(st.tuples(st.sampled_from(NAMES[:6]), contents), max_size=3))
    named = [(name, (f"{name}.txt", content)) for name, content in files]
    quoted = f'"{boundary}"'
    return boundary, fields, named, quoted


@EXAMPLES
@given(written_forms())
def test_a_form_of_httpx_is_read_as_others_read_it(written):
    boundary, fields, files, quoted = written
    content_type, body = write_by_httpx(fields, files, quoted)
    delimiter = f"--{boundary}".encode()
    if body.count(delimiter) != len(fields) + len(files) + 1:
        with pytest.raises(InvalidRequest):
            scan_form(content_type, body)
        return
    found = scan_form(content_type, body)
    sizes = sum(len(content) for _, (_, content) in files)
    assert found == Form(fields, (*fields, *(name for name, _ in files)), sizes)
    for reader in READERS:
        pairs = read_as(reader, content_type, body)
        assert pairs is None or fields_of(pairs) == fields, reader


def test_forms_of_node_are_read_as_others_read_them():
    forms = [
        [
            (name, base64.b64encode(random.choice(VALUES).encode()).decode(), None)
            for name in random.sample(["purpose", "file_id", "expires_after[anchor]"], 2)
        ]
        + [
            (name, base64.b64encode(random.randbytes(99)).decode(), f"{name}\\x.txt")
            for name in random.sample(NAMES, 3)
        ]
        for _ in range(30)
    ]
    for sent, (content_type, encoded) in zip(forms, write_by_node(forms), strict=True):
        body = base64.b64decode(encoded)
        found = scan_form(content_type, body)
        assert found.names == tuple(name for name, _, _ in sent)
        assert found.fields == {n: base64.b64decode(c).decode() for n, c, _ in sent[:2]}
        for reader in ("python-multipart", "werkzeug"):  # the others differ in unusual names
            assert fields_of(read_as(reader, content_type, body)) == found.fields


PIECES = st.sampled_from(
    [b"--b", b"--b--", b"--b\r\n", b"\r\n--b\r\n", b"\n--b\n", b"\r--b\r", b"\r\n", b"\n", b"\r", b" ", b"--", b"\0", b"x", b'"', b";", b"\\", b"\r\n\r\n", b"\n\n", b"file_id", b"; name=file_id", b"file-2", b"Content-Disposition: form-data; name=file_id\r\n\r\nfile-2"]
)  # fmt: skip
PARAMS = st.just('name="file_id"') | st.lists(
    st.sampled_from(['name="file"', "name=a", "name=file_id", 'name="file_id"', "name*=utf-8''file_id", 'name*0="file_id"', 'name="/file_id"', 'filename="x"', 'filename="x\\"', 'filename="x; name=file_id; y"', 'filename="x\\"; name=file_id"', 'name="file_\\id"']),
    min_size=1,
    max_size=3,
).map("; ".join)  # fmt: skip
HEADERS = st.sampled_from(
    ["", "", "A: b\r\n", "Content-Length: 4\r\n", "Content-Transfer-Encoding: base64\r\n", "Content-Disposition: form-data; name=file_id\r\n", "A: b\n\nfile-2\r\n", "A:\r\n Content-Disposition: form-data; name=file_id\r\n", "Content-Type: text/plain; charset=cp037\r\n"]
)  # fmt: skip
CONTENTS = st.sampled_from(
    ["x", "file-1", "ZmlsZS0y", "", "\r\n", "file-1" + form(part()).decode(), "x\n" + form(part()).decode(), "x\n--b"]
)  # fmt: skip


@st.composite
def odd_forms(draw):
    """A form of odd parts, or a plain one into which anything is put anywhere."""
    if draw(st.booleans()):
        count = draw(st.integers(1, 3))
        return form(
            *(
                part(content=draw(CONTENTS), headers=draw(HEADERS), disposition=disposition)
                for disposition in draw(
                    st.lists(PARAMS.map("form-data; {}".format), min_size=count, max_size=count)
                )
            )
        )
    body = form(part("file", "x", "Content-Type: a/b\r\n"), part())
    for _ in range(draw(st.integers(1, 3))):
        at, length = draw(st.integers(0, len(body))), draw(st.integers(0, 3))
        inserted = b"".join(draw(st.lists(PIECES, max_size=3)))
        body = body[:at] + inserted + body[at + length :]
    return body


@settings(EXAMPLES, max_examples=100_000 if IS_SOAK else 600)
@given(odd_forms())
def test_no_reader_finds_a_file_that_the_scan_does_not_find(body):
    try:
        found = scan_form(B, body)
    except InvalidRequest:
        return
    for reader in READERS:
        for name, content in read_as(reader, B, body) or ():
            if (name or "").strip().casefold() == "file_id":
                assert content.decode() == found.fields["file_id"], reader


@pytest.mark.parametrize(
    ("content_type", "body", "fields"),
    [
        (B, form(part()), {"file_id": "file-1"}),
        ("Multipart/Form-Data;boundary=b", form(part()), {"file_id": "file-1"}),
        ('multipart/form-data; charset=utf-8; boundary="b"', form(part()), {"file_id": "file-1"}),
        (B + "; charset=UTF-8;", form(part()), {"file_id": "file-1"}),
        ("multipart/form-data; boundary=*****", form(part()).replace(b"--b", b"--*****"), {"file_id": "file-1"}),
        (B, b"a preamble\r\n" + form(part()) + b"an epilogue\n", {"file_id": "file-1"}),
        (B, form(part(), end="--b--"), {"file_id": "file-1"}),
        (B, form(part()).replace(b"--b\r\n", b"--b \t\r\n"), {"file_id": "file-1"}),
        (B, form(part(disposition="form-data; name=file_id")), {"file_id": "file-1"}),
        (B, form(part(disposition='FORM-DATA ; NAME="file_id";')), {"file_id": "file-1"}),
        (B, form(part()).replace(b"Content-D", b"content-d"), {"file_id": "file-1"}),
        (B, form(part(headers="Content-Type: text/plain; charset=utf-8\r\nContent-Length: 6\r\n")), {"file_id": "file-1"}),
        (B, form(part(headers="Content-Transfer-Encoding: 8bit\r\n")), {"file_id": "file-1"}),
        (B, form(part("purpose", "")), {"purpose": ""}),
        (B, form(part("expires_after.seconds", "1"), part("expires_after[anchor]", "a")), {"expires_after.seconds": "1", "expires_after[anchor]": "a"}),
        (B, form(part("file", "\r\n-b\r\n--\r\n\n--c\n")), {}),
        (B, form(part(disposition='form-data; name="a\\"b"; filename="x\\\\y\\"; z=1"')), {}),
        (B, form(), {}),
    ],
)  # fmt: skip
def test_forms_that_every_reader_reads_alike(content_type, body, fields):
    assert is_form(content_type)
    assert scan_form(content_type, body).fields == fields


def test_names_are_those_that_the_client_meant():
    parts = [
        part("a%22b%0D%0A%5B"),
        part('c\\"d\\\\e'),
        part("ä名"),
        part("%zz", headers="A: ü\r\n"),
    ]
    assert scan_form(B, form(*parts)).names == ('a"b\r\n%5B', 'c"d\\e', "ä名", "%zz")


OTHERS = {
    "no boundary": ("multipart/form-data", "boundary=…"),
    "two boundaries": (B + "; boundary=c", "boundary=…"),
    "two types": (f"{B},{B}", "boundary=…"),
    "a boundary by RFC 2231": ("multipart/form-data; boundary*=b", "boundary=…"),
    "another boundary": ("multipart/form-data; x-boundary=c; boundary=b", "boundary=…"),
    "an empty boundary": ('multipart/form-data; boundary=""', "boundary=…"),
    "a long boundary": (f"multipart/form-data; boundary={'b' * 71}", "70 characters"),
    "a space at its end": ('multipart/form-data; boundary="b "', "boundary=…"),
    "another charset": (B + "; charset=utf-16", "boundary=…"),
}
BROKEN = {
    "empty": (b"", "does not end"),
    "cut": (form(part(), end=""), "does not end"),
    "cut in the last delimiter": (form(part(), end="--b-"), "line of its own"),
    "cut before the last line": (form(part(), end="--b"), "line of its own"),
    "a line end is LF": (form(part()).replace(b"\r\n--b--", b"\n--b--"), "line of its own"),
    "a line end is CR": (form(part()).replace(b"\r\n--b--", b"\r--b--"), "line of its own"),
    "a delimiter ends with LF": (form(part()).replace(b"--b\r\n", b"--b\n"), "line of its own"),
    "a longer boundary": (form(part("file", "x\r\n--boundary")), "line of its own"),
    "a boundary within a line": (form(part("file", "x--b\r\n")), "line of its own"),
    "a part behind the end": (form(part()) + form(part()), "behind"),
    "no headers": (b"--b\r\n\r\nx\r\n--b--", "no Content-Disposition"),
    "no empty line": (b"--b\r\nContent-Disposition: form-data; name=a\r\n--b--", "empty line"),
    "an empty part": (b"--b\r\n--b--", "empty line"),
    "headers that end with LF": (form(part(headers="A: b\n\nx\r\n")), "empty line"),
    "a folded header": (form(part(headers=" a\r\n")), "empty line"),
    "a space before the colon": (form(part(headers="A : b\r\n")), "empty line"),
    "long headers": (form(part(headers=f"A: {'b' * 17_000}\r\n")), "16,384"),
    "a header twice": (form(part(headers="content-disposition: form-data; name=a\r\n")), "header twice"),
    "another length": (form(part("file", headers="Content-Length: 5\r\n")), "length"),
    "no name": (form(part(disposition="form-data")), "one name"),
    "two names": (form(part(disposition="form-data; name=a; name=b")), "one name"),
    "a name by RFC 2231": (form(part(disposition="form-data; name*=utf-8''file_id")), "one name"),
    "both": (form(part(disposition="form-data; name=a; name*=utf-8''file_id")), "one name"),
    "a name in pieces": (form(part(disposition='form-data; name*0="fi"; name*1="le_id"')), "one name"),
    "a name in a file name": (form(part(disposition='form-data; name=a; filename="; name=file_id"')), "one name"),
    "a backslash at the end": (form(part(disposition='form-data; filename="x\\"; name="a"')), "one name"),
    "an attachment": (form(part(disposition="attachment; name=a")), "form-data"),
    "a long name": (form(part("x" * 600)), "512 bytes"),
    "a name that is no UTF-8": (form(part("ab")).replace(b'"ab"', b'"\xff"'), "UTF-8"),
    "a field twice": (form(part(), part()), "'file_id' twice"),
    "a purpose twice": (form(part("purpose"), part("purpose")), "'purpose' twice"),
    "a field among others": (form(part("x"), part("purpose"), part("purpose")), "'purpose' twice"),
    "a long field": (form(part(content="x" * (MAX_FIELD_BYTES + 1))), "longer"),
    "a field that is no ASCII": (form(part(content="ä")), "plain ASCII"),
    "a field in base64": (form(part(headers="Content-Transfer-Encoding: base64\r\n")), "plain ASCII"),
    "a field in EBCDIC": (form(part(headers="Content-Type: text/plain; charset=cp037\r\n")), "plain ASCII"),
    "a field with parts": (form(part(headers="Content-Type: multipart/mixed; boundary=c\r\n")), "plain ASCII"),
    "a compressed field": (form(part(headers="Content-Encoding: gzip\r\n")), "plain ASCII"),
    "a field as a file": (form(part(disposition='form-data; name="file_id"; filename="a"')), "plain ASCII"),
    "a charset for all": (form(part("_charset_", "cp037")), "_charset_"),
    "too many parts": (form(*[part("x")] * (MAX_PARTS + 1)), "1,000 parts"),
}  # fmt: skip
SPELLINGS = ["File_Id", "FILE_ID", " file_id", "file_id ", "file_id[]", "file_id[0]", "file_id.x", "/file_id", "\\\\file_id", "f\\ile_id", "file%5fid", "[file_id]", 'file_id\\"', "purpose[]", "Expires_After[anchor]", "expires_after"]  # fmt: skip


@pytest.mark.parametrize(("content_type", "message"), OTHERS.values(), ids=OTHERS)
def test_a_type_that_is_no_form_of_one_boundary_is_refused(content_type, message):
    with pytest.raises(InvalidRequest, match=message):
        scan_form(content_type, form(part()))


@pytest.mark.parametrize(("body", "message"), BROKEN.values(), ids=BROKEN)
def test_what_two_readers_could_read_differently_is_refused(body, message):
    with pytest.raises(InvalidRequest) as raised:
        scan_form(B, body)
    assert message in str(raised.value)
    assert (raised.value.status, raised.value.code) == (400, "invalid_form")


@pytest.mark.parametrize("name", SPELLINGS)
def test_another_spelling_of_a_field_is_refused(name):
    with pytest.raises(InvalidRequest, match="nearly"):
        scan_form(B, form(part(name)))


@pytest.mark.parametrize("name", ["file", "files[]", "data", "file_ids", "myfile_id", "x[file_id]"])
def test_other_names_are_the_providers_business(name):
    assert scan_form(B, form(part(name, "ä" * 999))) == Form({}, (name,), 0)


HOSTILE = {  # made in the test that reads them: together they are 54 MB
    "a file": lambda: form(part("purpose"), part("file", "x" * (SIZE - 500))),
    "delimiters": lambda: b"--b\r\n" * (SIZE // 5),
    "beginnings of delimiters": lambda: form(part("file", "\r\n--" * (SIZE // 4 - 100))),
    "line ends": lambda: form(part("file", "\r\n" * (SIZE // 2 - 100))),
    "spaces behind a delimiter": lambda: b"--b" + b" " * (SIZE - 3),
    "headers": lambda: b"--b\r\n" + b"a:\r\n" * (SIZE // 4 - 10),
    "empty headers": lambda: form(*[part("x", headers="a: \r\n" * 3_000)] * 250),
    "names": lambda: form(*[part("ä" * 240)] * 900),
    "parameters": lambda: form(*[part(disposition="form-data; name=x" + ";a=b" * 4_000)] * 270),
    "quotes": lambda: form(*[part(disposition="form-data; name=x" + ';a="' * 4_000)] * 270),
    "escapes": lambda: form(*[part("\\\\" * 250)] * 900),
    "semicolons": lambda: form(*[part(disposition="form-data; name=x" + "; " * 8_000)] * 270),
}


@pytest.mark.parametrize("write", HOSTILE.values(), ids=HOSTILE)
def test_no_form_takes_much_memory_or_work(write):
    body = write()
    assert len(body) <= SIZE

    def read():
        try:
            scan_form(B, body)
        except InvalidRequest:
            return

    tracemalloc.start()
    try:
        read()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000
    assert 0 < count_calls(read) < 100 * MAX_PARTS
