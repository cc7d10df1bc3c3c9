"""The Redis client: short deadlines, a pool that waits instead of raising.

A Redis that does not answer, or refuses, is `UnavailableError`; each use decides whether it fails open or closed.
Connections are to the primary only: one that turns out to be to another server is closed, and the next one looks the
address up anew.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import SecretStr
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.exceptions import (
    ClusterDownError,
    MovedError,
    ReadOnlyError,
    RedisClusterException,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.maint_notifications import MaintNotificationsConfig

from synctalk_runtime import tls
from synctalk_runtime.errors import UnavailableError

SOCKET_TIMEOUT_S = 1.0
CONNECT_TIMEOUT_S = 1.0
POOL_WAIT_S = 1.0


class _ToPrimary(AbstractConnection):
    """Refuses a replica when it connects, and leaves a server that became one."""

    async def on_connect_check_health(self, check_health: bool = True) -> None:
        await super().on_connect_check_health(check_health)
        await self.send_command("ROLE", check_health=False)
        try:
            role = await self.read_response()
        except ResponseError:
            return  # an account that may not ask: then only its refusals show it
        if role[0] != b"master":
            raise RedisConnectionError("a replica")

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return await super().read_response(*args, **kwargs)
        except (ReadOnlyError, ClusterDownError, MovedError):
            await self.disconnect(nowait=True)
            raise


class _Plain(_ToPrimary, Connection):
    pass


class _Encrypted(_ToPrimary, tls.RedisConnectionTls):
    pass


Client: TypeAlias = "Redis | RedisCluster"


def connect(url: SecretStr, ca_file: Path | None = None, *, max_connections: int = 20) -> "Redis":
    """Return a client; connections are opened as they are needed."""
    options = tls.redis_options(url.get_secret_value(), ca_file)
    is_encrypted = options.pop("connection_class", Connection) is SSLConnection
    pool = BlockingConnectionPool(
        connection_class=_Encrypted if is_encrypted else _Plain,
        max_connections=max_connections,
        timeout=POOL_WAIT_S,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_keepalive=True,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.2), 1),
        retry_on_error=[RedisConnectionError],
        protocol=3,
        **options,
    )
    return Redis.from_pool(pool)


def connect_cluster(url: SecretStr, ca_file: Path | None = None, *, max_connections: int = 100) -> RedisCluster:
    """Return a client of a cluster, of which the url names some nodes: so many connections to each of its nodes."""
    nodes, options = [], dict[str, Any]()
    for one in url.get_secret_value().split(","):
        options = tls.redis_options(one.strip(), ca_file)
        nodes.append(ClusterNode(options.pop("host", "localhost"), options.pop("port", 6379)))
    options.pop("db", None)
    is_encrypted = options.pop("connection_class", Connection) is SSLConnection
    return RedisCluster(
        startup_nodes=nodes,
        ssl=is_encrypted,
        max_connections=max_connections,
        socket_timeout=SOCKET_TIMEOUT_S,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_keepalive=True,
        retry=Retry(ExponentialWithJitterBackoff(base=0.05, cap=0.2), 1),
        require_full_coverage=False,
        # Only Redis's own cloud sends them; a primary that goes shows by its answers.
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        protocol=3,
        **options,
    )


@contextmanager
def answering() -> Iterator[None]:
    """Turns every failure of Redis within into UnavailableError."""
    try:
        yield
    except (RedisError, RedisClusterException, OSError, TimeoutError) as error:
        raise UnavailableError from error


async def check(client: Client) -> None:
    """Raise unless Redis answers; for readiness."""
    with answering():
        await client.ping()
