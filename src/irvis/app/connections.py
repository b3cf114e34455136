"""Connections of visitors: a request must arrive in time, and who sends none makes room for who does."""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

MOST = 200
"""Connections at once. The one that has been silent for longest is closed for a new one."""
PATIENCE = 20.0
"""Seconds in which the head of a request must arrive."""


class Bounded(H11Protocol):
    """HTTP/1.1 on one connection."""

    def __init__(self, *words: Any, **named: Any) -> None:
        super().__init__(*words, **named)
        self._waits: asyncio.TimerHandle | None = None

    @property
    def silent(self) -> bool:
        """Whether it has no request that is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > MOST:
            others = (one for one in self.connections if isinstance(one, Bounded) and one is not self and one.silent)
            oldest = min(others, key=lambda one: one._since, default=self)
            oldest.transport.close()
        self._since = self.loop.time()
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self.silent:
            self._arrived()
        elif self._waits is None:
            self._wait()

    def connection_lost(self, problem: Exception | None) -> None:
        self._arrived()
        super().connection_lost(problem)

    def _wait(self) -> None:
        self._waits = self.loop.call_later(PATIENCE, self._give_up)

    def _arrived(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _give_up(self) -> None:
        self._waits = None
        if self.silent:
            self.transport.close()
