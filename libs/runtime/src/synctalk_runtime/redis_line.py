"""One pipelined connection to Redis for what is asked all the time: rate limits and publishing.

Commands of one turn of the loop leave in one write, answers come back in order and wake whoever asked. The parser is
hiredis on a plain asyncio protocol: a command costs a fifth of redis-py's. Everything else goes through `redis.py`.

A connection that breaks, or does not answer in time, fails all that was asked on it with UnavailableError; the next
command opens a new one. Nothing is repeated: whoever asked decides.
"""

import asyncio
from collections import deque
from importlib.resources.abc import Traversable
from typing import Any, cast

import hiredis
from pydantic import SecretStr
from redis.asyncio.connection import parse_url

from synctalk_runtime.errors import UnavailableError

TIMEOUT_S = 1.0
CONNECT_TIMEOUT_S = 1.0
WATCH_S = 0.25
MAX_WAITING = 10_000

Argument = str | bytes | int | float


class RedisRefusedError(Exception):
    """Redis answered with an error, such as NOSCRIPT."""


class _Connection(asyncio.Protocol):
    """The answers that are waited for, in the order in which they were asked."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.asked: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._reader = hiredis.Reader()
        self._unsent: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while self.asked and (answer := self._reader.gets()) is not False:
            _, waiting = self.asked.popleft()
            if waiting.done():
                continue
            if isinstance(answer, hiredis.ReplyError):
                waiting.set_exception(RedisRefusedError(str(answer)))
            else:
                waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        self._unsent.clear()
        while self.asked:
            _, waiting = self.asked.popleft()
            if not waiting.done():
                waiting.set_exception(UnavailableError())

    def ask(self, arguments: tuple[Argument, ...]) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        if not self._unsent:
            loop.call_soon(self._flush)
        self._unsent.append(hiredis.pack_command(arguments))  # type: ignore[arg-type]
        waiting: asyncio.Future[Any] = loop.create_future()
        self.asked.append((loop.time(), waiting))
        return waiting

    def _flush(self) -> None:
        if self.transport is not None and self._unsent:
            self.transport.write(b"".join(self._unsent))
        self._unsent.clear()


class RedisLine:
    """Opens by itself when it is first used. One per process and use is enough."""

    def __init__(self, url: SecretStr, timeout_s: float = TIMEOUT_S) -> None:
        self._url = url.get_secret_value()
        self._timeout_s = timeout_s
        self._connection: _Connection | None = None
        self._opening: asyncio.Task[_Connection] | None = None
        self._watch: asyncio.TimerHandle | None = None

    async def call(self, *arguments: Argument) -> Any:
        """One command's answer: bytes, integers and lists as Redis sends them.

        Raises:
            UnavailableError: no connection, or no answer in time; it may have been done.
            RedisRefusedError: Redis says that the command is wrong.
        """
        return await (await self._open()).ask(arguments)

    async def call_all(self, commands: "list[tuple[Argument, ...]]") -> list[Any]:
        """Several commands in one write. Raises what `call` raises, for the first that fails."""
        connection = await self._open()
        return await asyncio.gather(*[connection.ask(arguments) for arguments in commands])

    async def close(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
        if self._opening is not None:
            self._opening.cancel()
        if self._connection is not None and self._connection.transport is not None:
            self._connection.transport.abort()
            self._connection = None
            await asyncio.sleep(0)

    async def _open(self) -> _Connection:
        connection = self._connection
        if connection is not None and connection.transport is not None:
            if len(connection.asked) >= MAX_WAITING:
                raise UnavailableError
            return connection
        if self._opening is None:
            self._opening = asyncio.create_task(self._connect(), name="redis-line")
            self._opening.add_done_callback(self._opened)
        try:
            return await asyncio.shield(self._opening)
        except (OSError, TimeoutError, RedisRefusedError) as error:
            raise UnavailableError from error

    def _opened(self, opening: "asyncio.Task[_Connection]") -> None:
        self._opening = None
        if not opening.cancelled() and opening.exception() is None:
            self._connection = opening.result()
            self._watch = asyncio.get_running_loop().call_later(WATCH_S, self._look)

    async def _connect(self) -> _Connection:
        options = parse_url(self._url)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, connection = await asyncio.get_running_loop().create_connection(
                _Connection,
                options.get("host", "localhost"),
                options.get("port", 6379),
                ssl=True if self._url.startswith("rediss:") else None,
            )
            if options.get("password"):
                await connection.ask(("AUTH", options.get("username") or "default", options["password"]))
            if options.get("db"):
                await connection.ask(("SELECT", options["db"]))
        return connection

    def _look(self) -> None:
        """A connection whose oldest question is too old is given up: later answers could not be told apart."""
        connection = self._connection
        if connection is None or connection.transport is None:
            return
        loop = asyncio.get_running_loop()
        if connection.asked and loop.time() - connection.asked[0][0] > self._timeout_s:
            connection.transport.abort()
            return
        self._watch = loop.call_later(WATCH_S, self._look)


class LineScript:
    """A Lua script in a file of its own, whose first lines name its KEYS, ARGV and what it returns."""

    def __init__(self, line: RedisLine, file: Traversable) -> None:
        self._line = line
        self._text = file.read_text()
        self._digest: bytes | None = None

    async def __call__(self, keys: list[str], args: list[Any]) -> Any:
        """Raises UnavailableError."""
        if self._digest is None:
            self._digest = await self._line.call("SCRIPT", "LOAD", self._text)
        try:
            return await self._line.call("EVALSHA", self._digest, len(keys), *keys, *args)
        except RedisRefusedError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise
            return await self._line.call("EVAL", self._text, len(keys), *keys, *args)
