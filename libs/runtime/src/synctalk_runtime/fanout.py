"""Publishing on Redis pub/sub: everything of one commit in one write."""

from collections.abc import Sequence

from prometheus_client import Counter

from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_pipeline import RedisPipeline

PUBLISHED = Counter("fanout_published_total", "Messages published on Redis channels.")

Message = tuple[str, bytes]
"""Channel, and what is said on it."""


class NotPublishedError(UnavailableError):
    """These, in their order, did not go out as far as is known. Publishing them again is safe: they are numbered."""

    def __init__(self, messages: Sequence[Message]) -> None:
        super().__init__()
        self.messages = messages


async def publish(redis: RedisPipeline, messages: Sequence[Message]) -> None:
    """Publish in order. At most once: who must not miss one notices by number and asks.

    Raises:
        NotPublishedError: Redis does not answer, or refuses; names those that it did not confirm.
    """
    outcomes = await redis.call_all([(redis.PUBLISH, channel, data) for channel, data in messages])
    failed = [
        message for message, outcome in zip(messages, outcomes, strict=True) if isinstance(outcome, UnavailableError)
    ]
    PUBLISHED.inc(len(messages) - len(failed))
    if failed:
        raise NotPublishedError(failed)
