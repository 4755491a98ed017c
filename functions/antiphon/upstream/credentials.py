"""The credential for each target, and its removal from what a provider answers.

It is an API key from the target's secret, or a token of Microsoft Entra ID or OpenAI. A target
whose requests are signed has none.
"""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING

import httpx

from antiphon.observability import logger
from antiphon.settings.targets import AzureTarget, OpenAITarget, Target
from antiphon.store.secrets import ProviderSecrets
from antiphon.upstream.entra import EntraTokens
from antiphon.upstream.http1 import Received
from antiphon.upstream.openai_tokens import OpenAITokens
from antiphon.upstream.tokens import Token, TokenCache

if TYPE_CHECKING:
    from antiphon.store.request_signing import RequestSigner

REDACTED = b"[redacted]"
# Servers without keys are given words such as `EMPTY` or `lm-studio`, which any text may contain.
MIN_SECRET_CHARS = 12
NEVER_ESCAPED = re.compile(rb"[A-Za-z0-9._~-]+")  # in URLs, in JSON and in HTML
NEEDLE_BYTES = 24
MAX_ESCAPED_BYTES = 6  # of one character, as \u002b in JSON
LINE_ENDS = (b"\n", b"\r")
SESSION_TOKEN = "x-amz-security-token"  # noqa: S105  header with the one secret of a signed request
NO_SIGNERS: Mapping[str, "RequestSigner"] = {}

type Source = ProviderSecrets | TokenCache | "RequestSigner"


class Credentials:
    """Safe for many threads: of those that need the same credential, one fetches it."""

    def __init__(
        self,
        secrets: ProviderSecrets,
        tokens: TokenCache,
        signers: Mapping[str, "RequestSigner"] = NO_SIGNERS,
    ) -> None:
        """`signers`: by target, for those that have no credential but signed requests."""
        self._secrets = secrets
        self._others: Mapping[str, Source] = {**dict.fromkeys(tokens.targets, tokens), **signers}

    def get(self, target: str) -> str:
        """Return the API key or bearer token; raise CredentialMissing."""
        return self._others.get(target, self._secrets).get(target)

    def renew(self, target: str, rejected: str) -> str | None:
        """Return another credential after a provider's 401; None where there is none.

        At most one fetch in 30 seconds for a target, however many of its calls are refused.
        """
        renewed = self._others.get(target, self._secrets).renew(target, rejected)
        logger.warning("credential refused", extra={"target": target, "renewed": bool(renewed)})
        return renewed


def token_fetches(
    targets: Mapping[str, Target], entra: EntraTokens, openai: OpenAITokens
) -> dict[str, Callable[[], Token]]:
    """Return what gets the token of each target that has tokens, not a key."""
    fetches: dict[str, Callable[[], Token]] = {}
    for name, target in targets.items():
        if isinstance(target, AzureTarget) and target.entra is not None:
            fetches[name] = partial(entra.fetch, name, target.entra)
        if isinstance(target, OpenAITarget) and target.workload_identity is not None:
            fetches[name] = partial(openai.fetch, name, target.workload_identity)
    return fetches


class RedactedStream(httpx.SyncByteStream):
    """A body without the credential that its provider repeats, however it is cut into chunks.

    Each chunk is searched once, for a part of the credential that no encoding escapes.
    What may be the beginning of a credential waits for the next chunk: never a complete line, so
    never a complete event.
    """

    def __init__(self, stream: httpx.SyncByteStream, credential: str) -> None:
        self._stream = stream
        self._credential = credential

    def __iter__(self) -> Iterator[bytes]:
        needle, held = _needle(self._credential), b""
        reach = MAX_ESCAPED_BYTES * len(self._credential)
        try:
            for chunk in self._stream:
                data = held + chunk
                if needle in data:
                    data = _pattern(self._credential).sub(REDACTED, data)
                if data.endswith(b"\n"):  # the usual case
                    held = b""
                    yield data
                else:
                    end = _end_of_searched(data, reach)
                    held = data[end:]
                    yield data[:end]
        except httpx.RequestError:
            yield held
            raise
        yield held

    def close(self) -> None:
        self._stream.close()


def redact(response: Received, credential: str, *, with_body: bool = True) -> Received:
    """Remove the credential, with which the request was sent, from headers and body."""
    if len(credential) < MIN_SECRET_CHARS:
        return response
    needle = _needle(credential)
    if any(needle in value for _, value in response.fields):
        sub = _pattern(credential).sub
        response.fields = [(name, sub(REDACTED, value)) for name, value in response.fields]
    if with_body:
        response.stream = RedactedStream(response.stream, credential)
    return response


def _needle(credential: str) -> bytes:
    secret = credential.encode()
    longest = max(NEVER_ESCAPED.findall(secret), key=len, default=secret)
    return longest[-NEEDLE_BYTES:]  # a longer one takes longer to search for


@lru_cache(8)
def _pattern(credential: str) -> re.Pattern[bytes]:
    """Return a pattern of the credential as it is and as URLs, JSON and HTML escape it."""
    return re.compile(b"".join(_forms(character) for character in credential))


def _forms(character: str) -> bytes:
    encoded = character.encode()
    if NEVER_ESCAPED.fullmatch(encoded):
        return re.escape(encoded)
    percent = "".join(f"%{byte:02x}" for byte in encoded)
    forms = [
        character,
        percent,
        f"\\u{ord(character):04x}",
        f"\\{character}",
        html.escape(character),
    ]
    return b"(?i:%b)" % b"|".join(re.escape(form.encode()) for form in forms)


def _end_of_searched(data: bytes, reach: int) -> int:
    """Return where a credential may begin that the next chunk completes; none has a line end."""
    start = max(0, len(data) - reach)
    return max(start, *(data.rfind(line_end, start) + 1 for line_end in LINE_ENDS))
