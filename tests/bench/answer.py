"""What came back for one request, and when; all times are nanoseconds of the monotonic clock."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

# A delta of the bench's provider says when it was sent; it has arrived with its blank line.
DELTA = re.compile(rb'"delta":"@(\d+)"[^\n]*\n\n')
# The headers with which a contestant reports its calls to AWS: their time, number and bytes.
IN_AWS, AWS_CALLS, AWS_BYTES = "x-bench-aws-ns", "x-bench-aws-calls", "x-bench-aws-bytes"


@dataclass(frozen=True)
class Delta:
    sent: int
    arrived: int
    piece: int  # in which it came: deltas that share one were merged on their way

    @property
    def lag_ms(self) -> float:
        return (self.arrived - self.sent) / 1e6


@dataclass(frozen=True)
class Answer:
    sent: int  # the request, not the answer
    status: int
    pieces: list[tuple[int, bytes]]  # of the body, as they were written, each with its arrival
    ended: int
    in_aws: int = 0  # of the time until the first piece, where the contestant reports it
    aws_calls: int = 0
    aws_bytes: int = 0  # of the requests

    @property
    def total_ms(self) -> float:
        return (self.ended - self.sent) / 1e6

    @property
    def first_ms(self) -> float:
        """To the first byte of the body, which is that of the first event."""
        return (self.pieces[0][0] - self.sent) / 1e6

    @property
    def body(self) -> bytes:
        return b"".join(piece for _, piece in self.pieces)

    def deltas(self) -> Iterator[Delta]:
        ends = list(accumulate(len(piece) for _, piece in self.pieces))
        for found in DELTA.finditer(self.body):
            piece = bisect_left(ends, found.end())
            yield Delta(int(found[1]), self.pieces[piece][0], piece)


def merged(deltas: list[Delta]) -> int:
    """How many deltas did not come in a piece of their own."""
    return len(deltas) - len({delta.piece for delta in deltas})
