"""One pipelined connection to Redis for what is asked all the time: rate limits and publishing.

`redis_cluster.py` does the same on the nodes of a cluster. Everything else goes through `redis.py`. The connection
opens by itself with the first command, and anew with the first one after it broke. Nothing is repeated: whoever asked
decides.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_connection import (
    Argument,
    RedisAddress,
    RedisConnection,
    RedisRefusedError,
    open_connection,
)

TIMEOUT_S = 1.0
RETRY_S = 0.1
MAX_WAITING = 10_000


class RedisPipeline:
    """Opens by itself when it is first used. One per process and use is enough."""

    in_cluster = False
    """Whether a script may name keys of one slot only."""
    PUBLISH = "PUBLISH"

    def __init__(
        self, server: SecretStr | RedisAddress, ca_file: Path | None = None, *, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._address = server if isinstance(server, RedisAddress) else RedisAddress.of(server, ca_file)
        self._timeout_s = timeout_s
        self._connection: RedisConnection | None = None
        self._opening: asyncio.Task[RedisConnection] | None = None
        self._retry_at = 0.0

    async def call(self, *arguments: Argument) -> Any:
        """Return one command's answer: bytes, integers and lists as Redis sends them.

        Raises:
            UnavailableError: no connection, or no answer in time; it may have been done.
            RedisRefusedError: one of those: Redis answered with an error, and nothing was done.
        """
        return await (await self._open()).ask(*arguments)

    async def call_all(self, commands: Sequence[tuple[Argument, ...]]) -> list[Any]:
        """Send several commands in one write; return for each, in order, its answer or its UnavailableError."""
        try:
            connection = await self._open()
        except UnavailableError as error:
            return [error] * len(commands)
        return await connection.ask_all(commands)

    def server_of(self, _: str) -> str:
        """Return a name of the server that has this key or channel: what goes to the same one may go together."""
        return ""

    @property
    def ready(self) -> RedisConnection | None:
        """Return the connection, if a command can be sent at once."""
        connection = self._connection
        if connection is None or not connection.is_open or connection.waiting >= MAX_WAITING:
            return None
        return connection

    def drop(self) -> None:
        """Give the connection up."""
        if self._opening is not None:
            self._opening.cancel()
        if self._connection is not None:
            self._connection.drop()

    async def close(self) -> None:
        self.drop()
        await asyncio.sleep(0)

    async def _open(self) -> RedisConnection:
        connection = self._connection
        if connection is not None and connection.is_open:
            if connection.waiting >= MAX_WAITING:
                raise UnavailableError
            return connection
        if self._opening is None:
            if asyncio.get_running_loop().time() < self._retry_at:
                raise UnavailableError
            self._opening = asyncio.create_task(open_connection(self._address), name="redis-pipeline")
            self._opening.add_done_callback(self._opened)
        return await _shielded(self._opening)

    def _opened(self, opening: "asyncio.Task[RedisConnection]") -> None:
        self._opening = None
        if opening.cancelled() or opening.exception() is not None:
            # A server that refuses at once would else be called as often as anybody asks.
            self._retry_at = asyncio.get_running_loop().time() + RETRY_S
            return
        self._connection = opening.result()
        self._connection.watch(self._address.server, self._timeout_s)


async def _shielded(opening: "asyncio.Task[RedisConnection]") -> RedisConnection:
    """Await it so that cancelling the caller does not end it, and its end by `close` does not cancel the caller."""
    await asyncio.wait([opening])
    if opening.cancelled():
        raise UnavailableError
    return opening.result()


class PipelineScript:
    """A Lua script in files that are joined; the first lines of the last name its KEYS, ARGV and what it returns."""

    def __init__(self, redis: RedisPipeline, *files: Traversable) -> None:
        self._redis = redis
        self._text = "".join(file.read_text() for file in files)
        self._digest = hashlib.sha1(self._text.encode(), usedforsecurity=False).hexdigest()  # Redis's name for it

    async def __call__(self, keys: list[str], args: list[Any]) -> Any:
        """Run the script. Raises UnavailableError."""
        try:
            return await self._redis.call("EVALSHA", self._digest, len(keys), *keys, *args)
        except RedisRefusedError as error:
            if not error.is_no_script:
                raise
            return await self._redis.call("EVAL", self._text, len(keys), *keys, *args)

    async def each(self, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
        """Run it for each keys and arguments; return for each its answer or its UnavailableError."""
        asked = [("EVALSHA", self._digest, len(keys), *keys, *args) for keys, args in calls]
        answers = await self._redis.call_all(asked)
        unknown = [n for n, one in enumerate(answers) if isinstance(one, RedisRefusedError) and one.is_no_script]
        if unknown:
            again = [("EVAL", self._text, *asked[n][2:]) for n in unknown]
            for n, answer in zip(unknown, await self._redis.call_all(again), strict=True):
                answers[n] = answer
        return answers
