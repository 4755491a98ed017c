"""Addresses in `gateway.toml`: of providers and proxies, and the origins of pages."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
ANY_ORIGIN = "*"
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#*@A-Z]+")  # scheme, host, port


def _check_address(url: str) -> str:
    parts = urlsplit(url)
    if not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an address such as https://host/path, without query or user")
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise ValueError("must begin with https:// (plain http is for loopback addresses only)")
    return url.rstrip("/")


def _check_proxy(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address such as http://proxy.example:3128")
    return url


def _check_origin(origin: str) -> str:
    if origin != ANY_ORIGIN and not ORIGIN.fullmatch(origin):
        raise ValueError("must be an origin as browsers send it, such as https://app.example.com")
    return origin


def _check_origins(origins: list[str]) -> list[str]:
    if ANY_ORIGIN in origins and len(origins) > 1:
        raise ValueError('"*" stands alone: it means every origin')
    return origins


BaseUrl = Annotated[str, AfterValidator(_check_address)]
ProxyUrl = Annotated[str, AfterValidator(_check_proxy)]
Origin = Annotated[str, AfterValidator(_check_origin)]
Origins = Annotated[list[Origin], AfterValidator(_check_origins)]
