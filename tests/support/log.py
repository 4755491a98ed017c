"""The log as it is written: with what lines say beside their message."""

import pytest

from antiphon.observability import logger


def written(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(map(logger.registered_formatter.format, caplog.records))
