"""A fingerprint of gateway.toml, by which a stack shows which settings it was deployed with."""

import hashlib

from antiphon.settings.config import Config

OUTPUT = "ConfigFingerprint"
DIGITS = 16  # of the SHA-256


def fingerprint(config: Config) -> str:
    """Hash what the file sets; comments, spaces and defaults make no difference.

    A hash, because whoever may read a stack's outputs does not need to see names of tenants.
    """
    text = config.model_dump_json(exclude_unset=True)
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
