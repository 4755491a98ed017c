"""What an audit reports; the lookup itself needs a network, so that no test does it."""

import pytest

from infra.audit import summarize

CLEAN = {"name": "httpx", "version": "1", "vulns": []}
VULNERABLE = {**CLEAN, "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}
SKIPPED = {"name": "idna", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "lines", "code"),
    [
        ([CLEAN], ["1 packages audited, 0 vulnerabilities"], 0),
        (
            [CLEAN, VULNERABLE],
            ["httpx 1: PYSEC-1, fixed in 2", "2 packages audited, 1 vulnerabilities"],
            1,
        ),
        (
            [CLEAN, SKIPPED],
            [
                "1 packages audited, 0 vulnerabilities",
                "NOT AUDITED, the package index has no data: idna",
            ],
            2,
        ),
        (
            [VULNERABLE, SKIPPED],
            [
                "httpx 1: PYSEC-1, fixed in 2",
                "1 packages audited, 1 vulnerabilities",
                "NOT AUDITED, the package index has no data: idna",
            ],
            1,
        ),
    ],
    ids=["clean", "vulnerable", "not audited", "both"],
)
def test_a_package_that_was_not_audited_does_not_pass_for_a_clean_one(packages, lines, code):
    assert summarize({"dependencies": packages}) == (lines, code)
