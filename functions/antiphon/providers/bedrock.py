"""Amazon Bedrock with OpenAI's API: the AWS role of the functions signs each request.

https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import parse_qsl, quote, urlencode

from antiphon.providers.errors import ProviderError, complete_error
from antiphon.providers.openai import Address, join_query, without_api_version
from antiphon.settings.targets import BedrockTarget, Capability

BYTES = "latin-1"  # a character for each byte
ERROR_TYPE = "x-amzn-errortype"  # `ThrottlingException`, with or without `:http://…` behind it
CODES = {"ThrottlingException": "rate_limit_exceeded"}  # OpenAI's, for AWS's names of errors
MODEL_MISSING = re.compile(
    r"model identifier is invalid|isn.t supported on this route|on-demand throughput isn.t"
)


@dataclass(frozen=True)
class Bedrock:
    target: BedrockTarget
    is_eventually_consistent: ClassVar[bool] = False

    @property
    def capabilities(self) -> frozenset[Capability]:
        """Nothing that is not configured: see docs/decisions/0043-bedrock-by-signature.md."""
        return frozenset(self.target.serves)

    def address(self, path: str, query: str, credential: str) -> Address:  # noqa: ARG002  signed
        query = canonical_query(without_api_version(query))
        return join_query(f"{self.target.address}{path}", query), {}

    def complete_error(self, status: int, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Complete AWS's own errors, which have a message, and their name in a header."""
        name = headers.get(ERROR_TYPE, "").partition(":")[0]
        is_about_model = MODEL_MISSING.search(ProviderError.of(body).message)
        code = "model_not_found" if is_about_model else CODES.get(name, name)
        return complete_error(status, body, code or None)


def canonical_query(query: str) -> str:
    """Return a query as signatures have it, so that all readers read what is signed."""
    pairs = parse_qsl(query, keep_blank_values=True, encoding=BYTES)
    return urlencode(pairs, encoding=BYTES, quote_via=quote)
