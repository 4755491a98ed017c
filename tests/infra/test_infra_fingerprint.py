"""The fingerprint of gateway.toml in the stack's outputs."""

import tomllib

from antiphon.settings.config import parse_config
from infra.fingerprint import fingerprint

TEXT = '[targets.openai]\nprovider = "openai"\nmodels = ["gpt-*"]\n'


def of(text):
    return fingerprint(parse_config(tomllib.loads(text)))


def test_fingerprint_is_that_of_the_settings_not_of_the_text():
    assert of(f"# a comment\n\n{TEXT}") == of(TEXT)
    assert of(TEXT.replace("gpt-*", "gpt-5")) != of(TEXT)
    assert of(f"{TEXT}priority = 1\n") != of(TEXT)  # it is set, so a new default does not change it
