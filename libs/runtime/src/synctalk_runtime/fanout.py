"""Publishing on Redis pub/sub: everything of one commit in one pipeline."""

from collections.abc import Sequence

from prometheus_client import Counter
from redis.asyncio import Redis

from synctalk_runtime.redis import answering

PUBLISHED = Counter("fanout_published_total", "Messages published on Redis channels.")


async def publish(client: Redis, messages: Sequence[tuple[str, bytes]]) -> None:
    """Publish (channel, bytes) pairs in order. At most once: who must not miss one notices by number and asks.

    Raises:
        UnavailableError: Redis does not answer; some may have gone out.
    """
    with answering():
        if len(messages) == 1:
            await client.publish(*messages[0])
        elif messages:
            pipeline = client.pipeline(transaction=False)
            for channel, data in messages:
                pipeline.publish(channel, data)
            await pipeline.execute()
    PUBLISHED.inc(len(messages))
