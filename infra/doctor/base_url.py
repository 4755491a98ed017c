"""Base URLs of the API, as users give them."""

from urllib.parse import urlsplit

API_PREFIXES = ("/v1", "/openai/v1", "/openai")
LOOPBACK_HOSTS = {"localhost", "127.0.0.1", "::1"}


def normalize_base_url(url: str) -> str:
    """Return the base URL with a prefix of the API; raise ValueError if it is invalid."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url}: give a base URL such as https://HOST/v1.")
    if parts.username or parts.query or parts.fragment:
        raise ValueError(f"{parts.hostname}: give the base URL only, without user or query.")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError(f"{url}: the key would be sent unencrypted. Give the https:// URL.")
    path = parts.path.rstrip("/")
    prefixed = path if path.endswith(API_PREFIXES) else f"{path}/v1"
    return f"{parts.scheme}://{parts.netloc}{prefixed}"


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK_HOSTS
