"""The guards of files on their way: forms that two readers could read differently, cut downloads."""

from tests.mutants.guard import guard

FILES = [
    guard(
        "a form has a field once",
        "schema/multipart.py",
        "if part.name in fields:",
        'if part.name == "":',
        "schema/test_multipart.py",
    ),
    guard(
        "a part of a form has one name",
        "schema/multipart.py",
        " or len(NAMES.findall(value)) > 1:",
        ":",
        "schema/test_multipart.py",
    ),
    guard(
        "a boundary is a line of its own",
        "schema/multipart.py",
        "if rest is None or not is_line:",
        "if rest is None:",
        "schema/test_multipart.py",
    ),
    guard(
        "a cut file never looks complete",
        "upstream/download.py",
        "            raise self._timer.fault or translate_error(exc) from exc",
        "            return",
        "upstream/test_download.py",
        "faults/test_cut_downloads.py",
    ),
    guard(
        "a file that Lambda would cut is refused",
        "upstream/download.py",
        "    if length <= MAX_BYTES:",
        "    if length >= 0:",
        "upstream/test_download.py",
    ),
    guard(
        "the address of a redirect gets no credential",
        "upstream/download.py",
        "for name in TO_REDIRECT if name in request.headers}",
        "for name in request.headers}",
        "upstream/test_download.py",
    ),
]
