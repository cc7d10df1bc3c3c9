"""Deliveries, in Redis, as gateways record them: how far each session has received a conversation.

Read just before a push: without Redis, or without a reply in time, nothing counts as received.
"""

from collections.abc import Sequence

from synctalk_contracts import topology
from synctalk_runtime.redis_pipeline import RedisPipeline

Question = tuple[str, str, int]
"""Session, conversation, seq."""


class Deliveries:
    def __init__(self, redis: RedisPipeline) -> None:
        self._redis = redis

    async def received(self, questions: Sequence[Question]) -> set[Question]:
        """Return those that a socket of the session reported as received."""
        answers = await self._redis.call_all(
            [("ZSCORE", topology.delivered_key(session_id), conversation) for session_id, conversation, _ in questions]
        )
        return {
            question
            for question, answer in zip(questions, answers, strict=True)
            if isinstance(answer, bytes) and float(answer) >= question[2]
        }
