"""What every refusal is made of."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

NONE: Mapping[str, str] = MappingProxyType({})


class GatewayError(Exception):
    """A refusal; `retry` says whether the client's SDK may send the request again by itself."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "server_error"
    code: str | None = "gateway_error"
    retry: bool | None = False
    headers: Mapping[str, str] = NONE

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] = NONE,
    ) -> None:
        super().__init__(message)
        self.headers = {**self.headers, **headers}
        self.param = param
        if code is not None:
            self.code = code

    def error(self) -> dict[str, str | None]:
        """Give the value of `error` in OpenAI's envelope."""
        return {
            "message": str(self),
            "type": self.type,
            "param": self.param,
            "code": self.code,
        }

    def body(self) -> bytes:
        return json.dumps({"error": self.error()}, ensure_ascii=False).encode()
