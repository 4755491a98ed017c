"""Errors of providers: what they mean, and how they become complete for OpenAI's clients."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from antiphon.json_reader import ERROR, UNREADABLE, read_json

MODEL_MISSING_CODES = {"model_not_found", "DeploymentNotFound"}
PARENT_MISSING_CODE = "previous_response_not_found"
FOREIGN_CONTENT = re.compile(
    r"encrypted.content.*(could not be (verified|decrypted)|was not issued)", re.DOTALL
)
ERROR_MEMBER = re.compile(r"""\s*\{\s*"error"\s*:\s*(?=\{)""")
TYPES = {429: "rate_limit_error"}
SERVER_ERROR = 500
# Before a word: nothing that belongs to it, or an escape of JSON or of a URL.
START = rb"(?:(?<=\\[bfnrt])|(?<=\\u[0-9a-fA-F]{4})|(?<=%[0-9a-fA-F]{2})|(?<![a-zA-Z0-9\\%]))"
# Those with an account: they name it, and its roles. A model of Bedrock's own has none.
COLON = rb"(?::|%3[aA])"
ARNS = re.compile(
    START + rb"(arn" + COLON + rb"aws[a-z-]*(?:" + COLON + rb"[a-z0-9-]*){2})"
    rb"(" + COLON + rb")\d{12}" + COLON + rb"(?:\\/|[^\s\"'\\<>(),;\[\]{}])*"
)
# AWS's messages name its account outside of ARNs, too.
ACCOUNT_NUMBERS = re.compile(rb"(account(?:[ _-]?id)?[^a-z0-9]{1,4})\d{12}\b", re.IGNORECASE)
ACCOUNT_IDS = re.compile(START + rb"(org|proj)[-_][A-Za-z0-9]{8,}")
AZURE_HOSTS = re.compile(
    START + rb"(?<![a-z0-9]-)[a-z0-9][a-z0-9-]{0,62}"
    rb"(\.(?:openai|cognitiveservices|services\.ai)\.azure\.com)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ProviderError:
    """The members of an error that decide what follows from it."""

    code: str | None = None
    param: str | None = None
    message: str = ""

    @classmethod
    def of(cls, body: bytes) -> Self:
        """Read an error's body; one that is not a JSON error has no members."""
        document = read_json(body, {**ERROR, "error": ERROR}).members
        error = document.get("error", document)
        return cls._from_members(error if isinstance(error, Mapping) else {})

    @classmethod
    def _from_members(cls, error: Mapping[str, Any]) -> Self:
        code, param, message = (error.get(name) for name in ("code", "param", "message"))
        return cls(
            code if isinstance(code, str) else None,
            param if isinstance(param, str) else None,
            message if isinstance(message, str) else "",
        )

    @property
    def misses_parent(self) -> bool:
        """Whether the provider does not find the response that the request continues."""
        if self.code == PARENT_MISSING_CODE:
            return True
        return self.param == "previous_response_id" and "not found" in self.message

    @property
    def misses_model(self) -> bool:
        return self.code in MODEL_MISSING_CODES

    @property
    def is_about_request(self) -> bool:
        """Whether it names a part of the request other than its model."""
        return self.misses_parent or self.param not in {None, "", "model"}

    @property
    def refuses_foreign_content(self) -> bool:
        """Whether encrypted reasoning comes from another account, which alone can read it."""
        return self.code == "invalid_encrypted_content" or bool(
            FOREIGN_CONTENT.search(self.message)
        )


def mask_account(error: bytes) -> bytes:
    """Mask the ids of the provider's account, the name of an Azure resource, and AWS's ARNs."""
    error = ACCOUNT_IDS.sub(rb"\1-redacted", error)
    error = ARNS.sub(rb"\1\2redacted", error)
    error = ACCOUNT_NUMBERS.sub(rb"\1redacted", error)
    return AZURE_HOSTS.sub(rb"redacted\1", error)


def mask_account_in(data: bytes, error: object) -> bytes:
    """Mask what an error inside `data` names of the account; all other bytes stay."""
    encoded = json.dumps(error).encode()
    for pattern in (ACCOUNT_IDS, AZURE_HOSTS, ARNS, ACCOUNT_NUMBERS):
        for found in pattern.finditer(encoded):
            data = data.replace(found[0], mask_account(found[0]))
    return data


def mask_failed_response(body: bytes, error: object) -> bytes:
    """Mask the account in a complete answer that is a success by its status, but has an error."""
    if error == UNREADABLE:
        return mask_account(body)
    return mask_account_in(body, error) if error else body


def complete_error(status: int, body: bytes, code: str | None = None) -> bytes:
    """Add what is missing of `message`, `type`, `param` and `code`; all other bytes stay.

    Azure's own errors lack `type` and `param`; those of the proxy before it lack `error` itself,
    as do those of AWS. `code`: that of an error without one.
    """
    try:
        return _complete(status, body.decode(), code).encode()
    except (ValueError, RecursionError):  # a proxy's HTML page: clients go by the status
        return body


def empty_error(status: int) -> bytes:
    """Return the error for a status that came without a body."""
    return json.dumps({"error": _envelope({}, status)}).encode()


def _complete(status: int, text: str, code: str | None) -> str:
    document = json.loads(text)
    if not isinstance(document, dict) or not isinstance(document.get("error", {}), dict):
        return text
    if "error" not in document:
        error = _envelope({"code": code, **document}, status)
        return f'{{"error":{json.dumps(error)},{text.lstrip()[1:]}' if document else text
    complete = _envelope({"code": code, **document["error"]}, status)
    missing = {name: value for name, value in complete.items() if name not in document["error"]}
    return _insert(text, document, missing) if missing else text


def _envelope(error: Mapping[str, Any], status: int) -> dict[str, Any]:
    """Return the four members of OpenAI's error envelope, as far as they are known."""
    kind = "server_error" if status >= SERVER_ERROR else "invalid_request_error"
    message = error.get("message") or error.get("Message")  # the second one is some of AWS's
    return {
        "message": str(message or f"The provider answered with status {status}."),
        "type": TYPES.get(status, kind),
        "param": None,
        "code": error.get("code"),
    }


def _insert(text: str, document: dict[str, Any], missing: Mapping[str, Any]) -> str:
    found = ERROR_MEMBER.match(text)
    if found is None:  # an unusual order of keys
        error = {**document["error"], **missing}
        return json.dumps({**document, "error": error}, ensure_ascii=False)
    _, end = json.JSONDecoder().raw_decode(text, found.end())
    comma = ", " if document["error"] else ""
    return f"{text[: end - 1]}{comma}{json.dumps(missing)[1:-1]}{text[end - 1 :]}"
