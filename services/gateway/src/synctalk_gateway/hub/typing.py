"""The users who type in one room. A user types as long as any of their connections renews it."""

import asyncio
from collections.abc import Callable

from synctalk_runtime.limits import Limit

from synctalk_gateway.protocol.buckets import TokenBucket

Show = Callable[[str, bool], None]


class TypingUsers:
    """Calls `show` with a user and whether they type: at each start or renewal, and once at the end.

    Starts beyond the limit are not shown. While paused nothing is shown; what has changed is shown when it resumes.
    """

    __slots__ = ("_bucket", "_limit", "_paused", "_show", "_shown", "_timers")

    def __init__(self, show: Show, limit: Limit) -> None:
        self._show = show
        self._limit = limit
        self._bucket: TokenBucket | None = None
        self._timers: dict[str, dict[str, asyncio.TimerHandle]] = {}
        self._shown: dict[str, None] = {}
        self._paused = False

    def __contains__(self, user_id: str) -> bool:
        return user_id in self._timers

    def start(self, user_id: str, connection_id: str, ttl_s: float) -> None:
        """Show until every connection has stopped, or has not renewed it for `ttl_s`."""
        loop = asyncio.get_running_loop()
        timers = self._timers.setdefault(user_id, {})
        known = timers.pop(connection_id, None)
        if known is not None:
            known.cancel()
        timers[connection_id] = loop.call_later(ttl_s, self.stop, user_id, connection_id)
        if not self._paused and self._may_show(loop.time()):
            self._shown[user_id] = None
            self._show(user_id, True)

    def _may_show(self, now: float) -> bool:
        if self._bucket is None:
            self._bucket = TokenBucket(self._limit.per_second, self._limit.burst, now)
        return self._bucket.take(now)

    def stop(self, user_id: str, connection_id: str) -> None:
        """End it on one connection."""
        timers = self._timers.get(user_id, {})
        timer = timers.pop(connection_id, None)
        if timer is not None:
            timer.cancel()
            if not timers:
                self._end(user_id)

    def stop_all(self, user_id: str) -> None:
        """End it on all connections."""
        timers = self._timers.get(user_id)
        if timers is not None:
            for timer in timers.values():
                timer.cancel()
            self._end(user_id)

    def _end(self, user_id: str) -> None:
        del self._timers[user_id]
        if not self._paused and user_id in self._shown:
            del self._shown[user_id]
            self._show(user_id, False)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        for user_id in self._shown.keys() - self._timers.keys():
            del self._shown[user_id]
            self._show(user_id, False)

    def close(self) -> None:
        for timers in self._timers.values():
            for timer in timers.values():
                timer.cancel()
        self._timers.clear()
