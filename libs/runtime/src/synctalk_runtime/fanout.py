"""Publishing on Redis pub/sub: everything of one commit in one write."""

from collections.abc import Sequence

from prometheus_client import Counter

from synctalk_runtime.redis_line import RedisLine

PUBLISHED = Counter("fanout_published_total", "Messages published on Redis channels.")


async def publish(line: RedisLine, messages: Sequence[tuple[str, bytes]]) -> None:
    """Publish (channel, bytes) pairs in order. At most once: who must not miss one notices by number and asks.

    Raises:
        UnavailableError: Redis does not answer; some may have gone out.
    """
    await line.call_all([("PUBLISH", channel, data) for channel, data in messages])
    PUBLISHED.inc(len(messages))
