"""One connection to a Redis primary: hiredis on a plain asyncio protocol, a fifth of what a command costs in redis-py.

Commands of one turn of the loop leave in one write; answers come back in order and wake whoever asked. Every question
is settled: by its answer, or with UnavailableError when Redis refuses, the connection breaks, or is given up. Replies
which say that this server is not, or not yet, the one to talk to give it up, so that the next one looks the address
up anew.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from ssl import SSLContext
from typing import Any, cast

import hiredis
import structlog
from prometheus_client import Counter, Gauge
from pydantic import SecretStr

from synctalk_runtime import tls
from synctalk_runtime.errors import UnavailableError

log = structlog.get_logger()

REFUSED = Counter("redis_refused_total", "Error replies of Redis, by their code.", ["code"])
MEMORY = Gauge("redis_memory_used_ratio", "Memory that a Redis uses, of what it may use.", ["server"])

CONNECT_TIMEOUT_S = 1.0
WATCH_S = 0.25
MEMORY_ROUNDS = 40
"""Rounds of the watch between two looks at the memory: ten seconds."""

WRONG_SERVER = frozenset({"READONLY", "LOADING", "MOVED", "MASTERDOWN", "CLUSTERDOWN", "NOAUTH", "WRONGPASS"})
"""Codes of replies after which the connection is of no use: a replica, a server that starts, a changed password."""
WRONG_NODE = WRONG_SERVER - {"MOVED", "CLUSTERDOWN"}
"""The same of a node of a cluster, which says these two of single slots."""
KNOWN_CODES = WRONG_SERVER | {
    "OOM",
    "NOREPLICAS",
    "NOSCRIPT",
    "BUSY",
    "MISCONF",
    "NOPERM",
    "ERR",
    "WRONGTYPE",
    "ASK",
    "TRYAGAIN",
    "CROSSSLOT",
}

Argument = str | bytes | int | float
OnFrame = Callable[[Any], None]


class RedisRefusedError(UnavailableError):
    """Redis answered with an error. `reply` is for the logs; a client sees no more than `unavailable`."""

    def __init__(self, reply: str) -> None:
        super().__init__()
        self.reply = reply

    @property
    def reply_code(self) -> str:
        return code_of(self.reply)

    @property
    def is_no_script(self) -> bool:
        return self.reply_code == "NOSCRIPT"


def code_of(reply: str) -> str:
    """Return the first word of an error reply."""
    return reply.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """The address of a Redis, and as whom to sign in there."""

    host: str
    port: int
    username: str
    password: str | None
    db: int
    ssl: SSLContext | None = field(compare=False)
    in_cluster: bool = False

    @property
    def server(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def of(cls, url: SecretStr, ca_file: Path | None = None) -> "RedisAddress":
        options = tls.redis_options(url.get_secret_value(), ca_file)
        return cls(
            host=options.get("host", "localhost"),
            port=options.get("port", 6379),
            username=options.get("username") or "default",
            password=options.get("password"),
            db=options.get("db", 0),
            ssl=tls.redis_context(options),
        )

    @classmethod
    def of_cluster(cls, url: SecretStr, ca_file: Path | None = None) -> "list[RedisAddress]":
        """Return the addresses, apart by commas, of some nodes of a cluster."""
        nodes = [cls.of(SecretStr(one.strip()), ca_file) for one in url.get_secret_value().split(",")]
        return [replace(node, in_cluster=True) for node in nodes]

    def at(self, host: str, port: int) -> "RedisAddress":
        """Return the address of another node, where the same user and trust are good."""
        return replace(self, host=host, port=port)


def _ignore(_: Any) -> None:
    """A frame that nobody asked for."""


def _nothing() -> None:
    return


class _Answers:
    """The answers to commands that were asked together: one future for all of them, in the place of one for each."""

    __slots__ = ("_given", "_number", "all")

    def __init__(self, loop: asyncio.AbstractEventLoop, number: int) -> None:
        self.all: asyncio.Future[list[Any]] = loop.create_future()
        self._given: list[Any] = []
        self._number = number
        if not number:
            self.all.set_result([])

    def done(self) -> bool:
        return False

    def set_result(self, answer: Any) -> None:
        """Add the next answer."""
        self._given.append(answer)
        if len(self._given) == self._number and not self.all.done():
            self.all.set_result(self._given)

    set_exception = set_result
    """An error is the answer to its command alone."""


class RedisConnection(asyncio.Protocol):
    """The answers that are waited for, in the order in which they were asked; other frames go to `on_frame`."""

    def __init__(
        self,
        on_frame: OnFrame = _ignore,
        on_lost: Callable[[], None] = _nothing,
        wrong_server: frozenset[str] = WRONG_SERVER,
    ) -> None:
        self._transport: asyncio.Transport | None = None
        self._asked: deque[tuple[float, asyncio.Future[Any] | _Answers]] = deque()
        self._reader = hiredis.Reader()
        self._unsent: list[bytes] = []
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._wrong_server = wrong_server
        self._watch: asyncio.TimerHandle | None = None
        self._rounds = 0

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    @property
    def waiting(self) -> int:
        """Return how many answers have not come yet."""
        return len(self._asked)

    def ask(self, *arguments: Argument) -> "asyncio.Future[Any]":
        """Return the future answer: bytes, integers and lists as Redis sends them, or UnavailableError."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Any] = loop.create_future()
        if not self.is_open:
            answer.set_exception(UnavailableError())
            return answer
        self.send(*arguments)
        self._asked.append((loop.time(), answer))
        return answer

    def ask_all(self, commands: Sequence[tuple[Argument, ...]]) -> "asyncio.Future[list[Any]]":
        """Send several commands in one write; the future has for each, in order, its answer or its UnavailableError."""
        loop = asyncio.get_running_loop()
        answers = _Answers(loop, len(commands))
        if not self.is_open or not commands:
            for _ in commands:
                answers.set_exception(UnavailableError())
            return answers.all
        self._unsent += [hiredis.pack_command(arguments) for arguments in commands]  # type: ignore[arg-type]
        now = loop.time()
        self._asked.extend([(now, answers)] * len(commands))
        self._flush()
        return answers.all

    def send(self, *arguments: Argument) -> None:
        """Send a command whose replies are frames for `on_frame`."""
        packed = hiredis.pack_command(arguments)  # type: ignore[arg-type]
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(packed)

    async def require_primary(self) -> None:
        """Check that it is a primary: on a replica PUBLISH "succeeds" and reaches nobody.

        Raises UnavailableError: it is a replica, or does not answer.
        """
        try:
            role = await self.ask("ROLE")
        except RedisRefusedError as error:
            if error.reply_code in ("NOPERM", "ERR"):
                return  # an account that may not ask: then only its refusals show it
            raise
        if role[0] != b"master":
            log.warning("redis.is_a_replica")
            raise UnavailableError

    def watch(self, server: str, timeout_s: float) -> None:
        """From now on give the connection up when an answer takes longer, or the server is no primary any more.

        Replies that come later could not be matched with their commands.
        """
        loop = asyncio.get_running_loop()
        if not self.is_open:
            return
        if self._asked and loop.time() - self._asked[0][0] > timeout_s:
            log.warning("redis.silent", waiting=self.waiting)
            self.drop()
            return
        self.ask("ROLE").add_done_callback(self._on_role)
        if self._rounds % MEMORY_ROUNDS == 0:
            self.ask("INFO", "memory").add_done_callback(partial(_show_memory, server))
        self._rounds += 1
        self._watch = loop.call_later(WATCH_S, self.watch, server, timeout_s)

    def drop(self) -> None:
        """Give the connection up: whatever was asked on it fails now."""
        if self._watch is not None:
            self._watch.cancel()
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        self._unsent.clear()
        while self._asked:
            _, answer = self._asked.popleft()
            if not answer.done():
                answer.set_exception(UnavailableError())
        self._on_lost()

    # ── the protocol ─────────────────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        self.drop()

    def data_received(self, data: bytes) -> None:
        try:
            self._reader.feed(data)
            while self._transport is not None and (frame := self._reader.gets()) is not False:
                if self._asked:
                    self._settle_next(frame)
                else:
                    self._on_frame(frame)
        except hiredis.HiredisError as error:
            log.warning("redis.not_understood", error=type(error).__name__)
            self.drop()

    def _settle_next(self, reply: Any) -> None:
        _, answer = self._asked.popleft()
        if not isinstance(reply, hiredis.ReplyError):
            if not answer.done():
                answer.set_result(reply)
            return
        error = RedisRefusedError(str(reply))
        if not answer.done():
            answer.set_exception(error)
        REFUSED.labels(error.reply_code if error.reply_code in KNOWN_CODES else "other").inc()
        if error.reply_code in self._wrong_server:
            log.warning("redis.refused", code=error.reply_code)
            self.drop()

    def _on_role(self, asked: "asyncio.Future[Any]") -> None:
        if not asked.cancelled() and asked.exception() is None and asked.result()[0] != b"master":
            log.warning("redis.is_a_replica")
            self.drop()

    def _flush(self) -> None:
        if self._transport is not None and self._unsent:
            self._transport.write(b"".join(self._unsent))
        self._unsent.clear()


def _show_memory(server: str, asked: "asyncio.Future[Any]") -> None:
    if asked.cancelled() or asked.exception() is not None:
        return  # an account that may not ask
    figures = {name: int(value) for name, value in re.findall(rb"^(used_memory|maxmemory):(\d+)", asked.result(), re.M)}
    if most := figures.get(b"maxmemory"):
        MEMORY.labels(server).set(figures[b"used_memory"] / most)


async def open_connection(
    address: RedisAddress,
    on_frame: OnFrame = _ignore,
    on_lost: Callable[[], None] = _nothing,
    *,
    primary: bool = True,
) -> RedisConnection:
    """Connect, sign in, and see that it is a primary, unless any server will do.

    Raises:
        UnavailableError: not reached in time, not trusted, refused, or a replica; nothing stays open then.
    """
    connection = RedisConnection(on_frame, on_lost, WRONG_NODE if address.in_cluster else WRONG_SERVER)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            await asyncio.get_running_loop().create_connection(
                lambda: connection, address.host, address.port, ssl=address.ssl
            )
            if address.password:
                await connection.ask("AUTH", address.username, address.password)
            if address.db:
                await connection.ask("SELECT", address.db)
            if primary:
                await connection.require_primary()
    except (OSError, TimeoutError) as error:
        connection.drop()
        if (reason := tls.refusal(error)) is not None:
            log.warning("redis.not_trusted", certificate=reason)
        raise UnavailableError from error
    except BaseException:
        connection.drop()
        raise
    return connection
