"""What a request may come to use, guessed before it is sent, rather too high than too low.

Nobody can know: what a provider adds of an earlier response, of files and of tools is not in the
request. So this is what is reserved, and what it really used takes its place when it is known.
"""

from collections.abc import Iterator
from typing import NamedTuple

from antiphon.schema import Continuing, CreateResponse
from antiphon.store.links import Link

# English prose has about four bytes for a token, code and other scripts three:
# https://platform.openai.com/docs/concepts/tokens
BYTES = 3
INLINE = b'"data:'  # how an image or a file begins that stands in the request itself
IMAGE = 1_600  # tokens; https://platform.openai.com/docs/guides/images-vision#calculating-costs
FILE_BYTES = 30  # of a file in Base64, for a token: a page of text takes some 40 kB there


class Demand(NamedTuple):
    """Tokens in, and tokens out; `bound` is whether the request itself says how many at most."""

    input: int
    output: int
    bound: bool

    @property
    def tokens(self) -> int:
        return self.input + self.output

    def within(self, most: int) -> int:
        """What counts against a limit: where the output is a mere guess, no more than all of it."""
        return self.tokens if self.bound else max(self.input, min(self.tokens, most))


def demand(ask: Continuing, body: bytes, parent: Link | None, usual_output: int) -> Demand:
    """`parent` is the response that is continued: what it had read and said is read again."""
    asked = asked_output(ask)
    output = usual_output if asked is None else asked
    return Demand(_tokens(body) + _context(parent), output, bound=asked is not None)


def asked_output(ask: Continuing) -> int | None:
    if not isinstance(ask, CreateResponse):
        return None
    return ask.max_output_tokens or ask.max_tokens


def _tokens(body: bytes) -> int:
    text, extra = len(body), 0
    for start, end in _inline(body):
        text -= end - start
        image = body.startswith(b"image/", start + len(INLINE))
        extra += IMAGE if image else (end - start) // FILE_BYTES
    return text // BYTES + extra + 1


def _inline(body: bytes) -> Iterator[tuple[int, int]]:
    start = body.find(INLINE)
    while start >= 0:
        end = body.find(b'"', start + len(INLINE))
        end = len(body) if end < 0 else end
        yield start, end
        start = body.find(INLINE, end)


def _context(parent: Link | None) -> int:
    used = parent.usage if parent is not None else None
    total = (used or {}).get("total_tokens")
    return total if isinstance(total, int) else 0
