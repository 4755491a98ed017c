"""Policies in `gateway.toml`: what requests may contain, and the targets that they may go to."""

import re
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, StringConstraints

from antiphon.settings.section import Count, Section

type Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
type Storing = Literal["refuse", "force_false"]

EFFORTS: tuple[str, ...] = get_args(Effort.__value__)  # the lowest first
HOST = re.compile(r"\*|(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def _check_pattern(pattern: str) -> str:
    if pattern.count("*") > 1:
        raise ValueError("has one * at most")
    return pattern


def _check_host(pattern: str) -> str:
    if not HOST.fullmatch(pattern):
        raise ValueError(
            "must be a host in lower case, without scheme and port: api.acme.com, *.acme.com or *"
        )
    return pattern


PolicyName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Pattern = Annotated[
    str, StringConstraints(min_length=1, max_length=256), AfterValidator(_check_pattern)
]
HostPattern = Annotated[str, AfterValidator(_check_host)]


class Policy(Section):
    """What requests may contain; None restricts nothing, and an empty list allows nothing."""

    tools: list[Pattern] | None = None  # types, such as function, or web_search*
    deny_tools: list[Pattern] | None = None
    mcp_hosts: list[HostPattern] | None = None  # of `server_url`
    mcp_labels: list[Pattern] | None = None  # of `server_label`
    connectors: list[Pattern] | None = None  # of `connector_id`
    url_hosts: list[HostPattern] | None = None  # of `image_url` and `file_url`
    store: Storing | None = None
    background: bool = True
    service_tiers: list[str] | None = None
    max_effort: Effort | None = None
    max_input_bytes: Count | None = None  # of all texts of the input together, in UTF-8
    targets: list[Pattern] | None = None
