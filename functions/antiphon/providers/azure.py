"""Azure OpenAI: the GA path by default, the older `api-version` path where it is configured.

https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from antiphon.providers.errors import complete_error
from antiphon.providers.openai import Address, join_query, without_api_version
from antiphon.settings.targets import EVERYTHING, AzureTarget, Capability


@dataclass(frozen=True)
class Azure:
    target: AzureTarget
    is_eventually_consistent: ClassVar[bool] = True
    # Conversations and skills are not at every resource: a target's section enables them.
    capabilities: ClassVar[frozenset[Capability]] = EVERYTHING

    def address(self, path: str, query: str, credential: str) -> Address:
        target = self.target
        prefix = "/openai" if target.is_legacy else "/openai/v1"
        version = f"api-version={target.api_version}" if target.api_version else ""
        url = join_query(f"{target.endpoint}{prefix}{path}", without_api_version(query), version)
        return url, self._authorization(credential)

    def complete_error(self, status: int, body: bytes, headers: Mapping[str, str]) -> bytes:  # noqa: ARG002
        return complete_error(status, body)

    def _authorization(self, credential: str) -> Mapping[str, str]:
        if self.target.auth == "entra":
            return {"authorization": f"Bearer {credential}"}
        return {"api-key": credential}
