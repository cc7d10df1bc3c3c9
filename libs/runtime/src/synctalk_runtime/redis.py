"""The Redis client: short deadlines, a pool that waits instead of raising, Lua scripts from files.

A Redis that does not answer is `UnavailableError`; each use decides whether it fails open or closed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources.abc import Traversable
from typing import Any

from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from synctalk_runtime.errors import UnavailableError

SOCKET_TIMEOUT_S = 1.0
CONNECT_TIMEOUT_S = 1.0
POOL_WAIT_S = 1.0


def connect(url: SecretStr, *, max_connections: int = 20) -> "Redis":
    """A client; connections are opened as they are needed."""
    pool = BlockingConnectionPool.from_url(
        url.get_secret_value(),
        max_connections=max_connections,
        timeout=POOL_WAIT_S,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_keepalive=True,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.2), 1),
        retry_on_error=[RedisConnectionError],
        protocol=3,
    )
    return Redis.from_pool(pool)


@contextmanager
def answering() -> Iterator[None]:
    """Turns every failure of Redis within into UnavailableError."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise UnavailableError from error


class Script:
    """A Lua script in a file of its own, whose first lines name its KEYS, ARGV and what it returns."""

    def __init__(self, client: "Redis", file: Traversable) -> None:
        self._script = client.register_script(file.read_text())

    async def __call__(self, keys: list[str], args: list[Any]) -> Any:
        with answering():
            return await self._script(keys=keys, args=args)
