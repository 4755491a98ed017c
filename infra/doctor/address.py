"""Base URLs as people give them."""

from urllib.parse import urlsplit

PREFIXES = ("/v1", "/openai/v1", "/openai")
LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class BadAddress(ValueError):
    """The message says what is wrong with it."""


def base(given: str) -> str:
    """The base URL, ending in a prefix of the API; raise BadAddress where it cannot be one."""
    parts = urlsplit(given)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadAddress(f"{given}: give a base URL such as https://HOST/v1.")
    if parts.username or parts.query or parts.fragment:
        raise BadAddress(f"{parts.hostname}: give the base URL alone, without user or query.")
    if parts.scheme == "http" and not is_here(given):
        raise BadAddress(f"{given}: the key would travel unencrypted. Give the https:// URL.")
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path if path.endswith(PREFIXES) else f'{path}/v1'}"


def is_here(url: str) -> bool:
    """Whether it is an address of this machine."""
    return urlsplit(url).hostname in LOOPBACK
