"""What a provider's error says, in whichever of the shapes that are about.

Errors that lack what OpenAI's clients look for get it; what is there stays byte for byte.

Azure's own lack `type` and `param`, those of the gateway in front of it lack `error` itself.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import jiter

MODEL_MISSING_CODES = {"model_not_found", "DeploymentNotFound"}
PARENT_MISSING_CODE = "previous_response_not_found"
FOREIGN_CONTENT = re.compile(
    r"encrypted.content.*(could not be (verified|decrypted)|was not issued)", re.DOTALL
)


@dataclass(frozen=True)
class ProviderError:
    code: str | None = None
    param: str | None = None
    message: str = ""

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Read an error's body; what is none says nothing."""
        try:
            told = jiter.from_json(body)
        except ValueError:
            return cls()
        error = told.get("error", told) if isinstance(told, Mapping) else {}
        return cls._read(error if isinstance(error, Mapping) else {})

    @classmethod
    def _read(cls, error: Mapping[str, Any]) -> Self:
        code, param, message = (error.get(name) for name in ("code", "param", "message"))
        return cls(
            code if isinstance(code, str) else None,
            param if isinstance(param, str) else None,
            message if isinstance(message, str) else "",
        )

    @property
    def misses_parent(self) -> bool:
        """Whether the response that the request continues is not known there."""
        if self.code == PARENT_MISSING_CODE:
            return True
        return self.param == "previous_response_id" and "not found" in self.message

    @property
    def misses_model(self) -> bool:
        return self.code in MODEL_MISSING_CODES

    @property
    def about_the_request(self) -> bool:
        """Whether it names something of the request other than its model."""
        return self.misses_parent or self.param not in {None, "", "model"}

    @property
    def refuses_foreign_content(self) -> bool:
        """Whether encrypted reasoning was made by another account, which alone can read it."""
        return self.code == "invalid_encrypted_content" or bool(
            FOREIGN_CONTENT.search(self.message)
        )


BEFORE_ERROR = re.compile(r"""\s*\{\s*"error"\s*:\s*(?=\{)""")
TYPES = {429: "rate_limit_error"}
SERVER_ERROR = 500


def complete_error(status: int, body: bytes) -> bytes:
    """Add the missing ones of `message`, `type`, `param` and `code`."""
    try:
        text = body.decode()
        told = json.loads(text)
    except ValueError:  # a page of a proxy: clients tell it by its status
        return body
    if not isinstance(told, dict) or not isinstance(told.get("error", {}), dict):
        return body
    if "error" not in told:
        error = _envelope(told, status)
        return f'{{"error":{json.dumps(error)},{text.lstrip()[1:]}'.encode() if told else body
    lacking = _envelope(told["error"], status)
    missing = {name: value for name, value in lacking.items() if name not in told["error"]}
    return _insert_members(text, told, missing).encode() if missing else body


def _envelope(error: Mapping[str, Any], status: int) -> dict[str, Any]:
    """The four of OpenAI's envelope, as far as they can be known."""
    kind = "server_error" if status >= SERVER_ERROR else "invalid_request_error"
    return {
        "message": str(error.get("message") or f"The provider answered with status {status}."),
        "type": TYPES.get(status, kind),
        "param": None,
        "code": error.get("code"),
    }


def _insert_members(text: str, told: dict[str, Any], missing: Mapping[str, Any]) -> str:
    found = BEFORE_ERROR.match(text)
    if found is None:  # an unusual order of keys
        return json.dumps({**told, "error": {**told["error"], **missing}}, ensure_ascii=False)
    _, end = json.JSONDecoder().raw_decode(text, found.end())
    more = json.dumps(missing)[1:-1]
    comma = ", " if told["error"] else ""
    return f"{text[: end - 1]}{comma}{more}{text[end - 1 :]}"
