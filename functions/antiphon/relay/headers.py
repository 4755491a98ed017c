"""Which headers pass, both ways; every other one stays where it came from."""

from collections.abc import Mapping

from antiphon.errors import InvalidRequest
from antiphon.relay.transport import Response

# What says who the caller is, or how it is connected, is not the provider's business.
TO_PROVIDER = (
    "accept",
    "content-type",
    "openai-beta",
    "x-client-request-id",
    "x-ms-oai-image-generation-deployment",
)
# The provider's organisation and project are not the caller's business.
TO_CALLER = frozenset(
    {
        "apim-request-id",
        "cache-control",
        "content-type",
        "openai-processing-ms",
        "openai-version",
        "retry-after",
        "retry-after-ms",
        "x-ms-region",
        "x-request-id",
        "x-should-retry",
    }
)
AMBIGUOUS = {500, 502, 504}  # it may have been processed: sending again may pay again
RATE_LIMITS = "x-ratelimit-"


def to_provider(headers: Mapping[str, str], credential: Mapping[str, str]) -> dict[str, str]:
    passed = {name: headers[name] for name in TO_PROVIDER if name in headers}
    for name, value in passed.items():
        if not (value.isascii() and value.replace("\t", " ").isprintable()):
            raise InvalidRequest(f"The header '{name}' cannot be sent on.", param=name)
    # Identity: the caller is to get the provider's bytes, which nobody unpacks on the way.
    return {**passed, "accept-encoding": "identity", "user-agent": "antiphon", **credential}


def to_caller(response: Response) -> dict[str, str]:
    passed = {
        name: value
        for name, value in response.headers.items()
        if name in TO_CALLER or name.startswith(RATE_LIMITS)
    }
    if response.method == "POST" and response.status in AMBIGUOUS:
        passed["x-should-retry"] = "false"
    return {"cache-control": "no-store", **passed}
