"""Deliveries: how far each session got each conversation, in Redis for a short while: its device needs no push then.

Best effort: what Redis does not take is forgotten, and the device is pushed a message that it has.
"""

from synctalk_contracts import topology
from synctalk_runtime.background import Tasks
from synctalk_runtime.redis_pipeline import RedisPipeline

KEEP_S = 120
"""Far longer than a push waits before it is decided."""


class Deliveries:
    """Records deliveries, one write at a time; what is reported meanwhile goes together with the next."""

    def __init__(self, redis: RedisPipeline) -> None:
        self._redis = redis
        self._marks: dict[str, dict[str, int]] = {}
        self._tasks = Tasks()
        self._is_writing = False

    def add(self, session_id: str, conversation_id: str, seq: int) -> None:
        """Note that a socket of the session got everything up to `seq`. `conversation_id`: one whose room it is in."""
        marks = self._marks.setdefault(session_id, {})
        marks[conversation_id] = max(seq, marks.get(conversation_id, 0))
        if not self._is_writing:
            self._is_writing = True
            self._tasks.spawn("deliveries", self._write())

    async def _write(self) -> None:
        try:
            while self._marks:
                marks, self._marks = self._marks, {}
                await self._redis.call_all([command for one in marks.items() for command in _commands(*one)])
        finally:
            self._is_writing = False

    async def stop(self) -> None:
        await self._tasks.stop()


def _commands(session_id: str, marks: dict[str, int]) -> list[tuple[str | int, ...]]:
    key = topology.delivered_key(session_id)
    scores = [part for conversation_id, seq in marks.items() for part in (seq, conversation_id)]
    return [("ZADD", key, "GT", *scores), ("EXPIRE", key, KEEP_S)]
