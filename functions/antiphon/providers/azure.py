"""Azure OpenAI: the GA path by default, the older `api-version` path where it is configured.

https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
"""

from dataclasses import dataclass

from antiphon.providers.address import Address, joined, without_api_version


@dataclass(frozen=True)
class Azure:
    endpoint: str
    api_version: str | None
    legacy: bool

    def address(self, path: str, query: str, credential: str) -> Address:
        prefix = "/openai" if self.legacy else "/openai/v1"
        version = f"api-version={self.api_version}" if self.api_version else ""
        url = joined(f"{self.endpoint}{prefix}{path}", without_api_version(query), version)
        return Address(url, {"api-key": credential})
