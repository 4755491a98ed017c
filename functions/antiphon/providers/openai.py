"""OpenAI, and whoever speaks its dialect. https://platform.openai.com/docs/api-reference."""

from dataclasses import dataclass
from typing import ClassVar

from antiphon.providers.address import Address, joined, without_api_version


@dataclass(frozen=True)
class OpenAI:
    base_url: str
    lags: ClassVar[bool] = False

    def address(self, path: str, query: str, credential: str) -> Address:
        url = joined(f"{self.base_url}{path}", without_api_version(query))
        return Address(url, {"authorization": f"Bearer {credential}"})

    def complete(self, status: int, body: bytes) -> bytes:  # noqa: ARG002  it is the model
        return body
