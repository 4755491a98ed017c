"""What a provider's error says, in whichever of the shapes that are about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import jiter

NO_SUCH_MODEL = {"model_not_found", "DeploymentNotFound"}
PARENT = "previous_response_not_found"
FOREIGN_CONTENT = re.compile(
    r"encrypted.content.*(could not be (verified|decrypted)|was not issued)", re.DOTALL
)


@dataclass(frozen=True)
class Saying:
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
        if self.code == PARENT:
            return True
        return self.param == "previous_response_id" and "not found" in self.message

    @property
    def misses_model(self) -> bool:
        return self.code in NO_SUCH_MODEL

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
