"""The users who type in one room. A user types in a place as long as any of their connections renews it."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from synctalk_runtime.limits import Limit

from synctalk_gateway.protocol.buckets import TokenBucket


class Place(NamedTuple):
    user_id: str
    thread_id: str | None = None
    """None: the conversation itself."""


Show = Callable[[Place, bool], None]


class TypingUsers:
    """Calls `show` with a place and whether its user types there: at each start or renewal, and once at the end.

    Starts beyond the limit are not shown. While paused nothing is shown; what has changed is shown when it resumes.
    """

    __slots__ = ("_bucket", "_limit", "_paused", "_show", "_shown", "_timers")

    def __init__(self, show: Show, limit: Limit) -> None:
        self._show = show
        self._limit = limit
        self._bucket: TokenBucket | None = None
        self._timers: dict[Place, dict[str, asyncio.TimerHandle]] = {}
        self._shown: dict[Place, None] = {}
        self._paused = False

    def __contains__(self, user_id: str) -> bool:
        return any(place.user_id == user_id for place in self._timers)

    def start(self, place: Place, connection_id: str, ttl_s: float) -> None:
        """Show until every connection has stopped, or has not renewed it for `ttl_s`."""
        loop = asyncio.get_running_loop()
        timers = self._timers.setdefault(place, {})
        known = timers.pop(connection_id, None)
        if known is not None:
            known.cancel()
        timers[connection_id] = loop.call_later(ttl_s, self.stop, place, connection_id)
        if not self._paused and self._may_show(loop.time()):
            self._shown[place] = None
            self._show(place, True)

    def _may_show(self, now: float) -> bool:
        if self._bucket is None:
            self._bucket = TokenBucket(self._limit.per_second, self._limit.burst, now)
        return self._bucket.take(now)

    def stop(self, place: Place, connection_id: str) -> None:
        """End it on one connection."""
        timers = self._timers.get(place, {})
        timer = timers.pop(connection_id, None)
        if timer is not None:
            timer.cancel()
            if not timers:
                self._end(place)

    def stop_all(self, user_id: str) -> None:
        """End it on all connections, in all places."""
        for place in [place for place in self._timers if place.user_id == user_id]:
            for timer in self._timers[place].values():
                timer.cancel()
            self._end(place)

    def _end(self, place: Place) -> None:
        del self._timers[place]
        if not self._paused and place in self._shown:
            del self._shown[place]
            self._show(place, False)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        for place in self._shown.keys() - self._timers.keys():
            del self._shown[place]
            self._show(place, False)

    def close(self) -> None:
        for timers in self._timers.values():
            for timer in timers.values():
                timer.cancel()
        self._timers.clear()
