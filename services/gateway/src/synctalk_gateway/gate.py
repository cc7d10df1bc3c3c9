"""Lets a few connections in at a time, so that a storm of them slows down instead of falling over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from synctalk_runtime.errors import UnavailableError

from synctalk_gateway.settings import Settings


class _Lane:
    """One user's connections that come in or wait to."""

    def __init__(self, places: int) -> None:
        self.places = asyncio.Semaphore(places)
        self.count = 0


class Gate:
    """Has places for all, of which one user's connections take a few at most."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._places = asyncio.Semaphore(settings.concurrent_connects)
        self._waiting = 0
        self._lanes: dict[str, _Lane] = {}

    @asynccontextmanager
    async def place(self, user_id: str) -> AsyncIterator[None]:
        """Wait for a place and keep it. Raises UnavailableError when too many wait already."""
        lane = self._lanes.setdefault(user_id, _Lane(self._settings.concurrent_connects_per_user))
        if (
            self._waiting >= self._settings.max_waiting_connects
            or lane.count >= self._settings.max_connections_per_user
        ):
            raise UnavailableError
        self._waiting += 1
        lane.count += 1
        try:
            async with lane.places, self._places:
                yield
        finally:
            self._waiting -= 1
            lane.count -= 1
            if lane.count == 0:
                self._lanes.pop(user_id, None)
