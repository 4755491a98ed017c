"""Where one runtime and its invocations meet, one invocation at a time."""

import asyncio
from collections.abc import Callable

from infra.local.invocation import Invocation

type Hand = Callable[[Invocation], None]


class InitFailed(Exception):
    """The function's process did not get as far as asking for an event."""


class Desk:
    """Knows whether the runtime waits for an event, owes an answer, or is gone."""

    def __init__(self) -> None:
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._current: Invocation | None = None  # the runtime has it
        self._next: Invocation | None = None  # the runtime is to have it
        self._hand: Hand | None = None  # the runtime waits for it
        self._freed: Callable[[], None] = lambda: None
        self._gone: str | None = None
        self._connections = 0
        self._deserted = asyncio.Event()

    @property
    def gone(self) -> bool:
        return self._gone is not None

    def give(self, invocation: Invocation, freed: Callable[[], None]) -> None:
        """Have the runtime answer it; `freed` is called when the runtime can take another."""
        self._next, self._freed = invocation, freed
        if self._gone is not None:
            self.leave(self._gone)
        self._meet()

    def ask(self, hand: Hand) -> bool:
        """The runtime asks for an event; False if it must answer the one it has first."""
        if self.gone:
            return True  # it has been given up, and waits in vain
        if self._current and not self._current.ended:
            return False
        if self._current:
            self._free()
        self._hand = hand
        if not self.ready.done():
            self.ready.set_result(None)
        self._meet()
        return True

    def connected(self) -> None:
        self._connections += 1
        self._deserted.clear()

    def disconnected(self, hand: Hand) -> None:
        """A connection is lost; if the runtime asked over it, it may ask over another."""
        self._connections -= 1
        if not self._connections:
            self._deserted.set()
        if self._hand == hand:
            self._hand = None

    async def read_out(self) -> None:
        """Wait until all is read that a runtime wrote before it ended."""
        if self._connections:
            await self._deserted.wait()

    def owed(self, id: str) -> Invocation | None:
        current = self._current
        return current if current and current.id == id and not current.ended else None

    def leave(self, reason: str) -> None:
        """The runtime is no more: whoever waits for it is told why."""
        self._gone = self._gone or reason
        if not self.ready.done():
            self.ready.set_exception(InitFailed(reason))
        for invocation in (self._current, self._next):
            if invocation:
                invocation.end(reason)
        self._next = self._hand = None
        self._free()

    def _meet(self) -> None:
        if self._next and self._hand:
            invocation, hand = self._next, self._hand
            self._current, self._next, self._hand = invocation, None, None
            hand(invocation)

    def _free(self) -> None:
        freed, self._freed, self._current = self._freed, lambda: None, None
        freed()
