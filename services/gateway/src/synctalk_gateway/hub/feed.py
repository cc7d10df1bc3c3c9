"""This gateway's subscription on Redis: one connection, exactly the channels that its sockets need.

Redis pub/sub is at most once and its gaps are silent, so the connection watches its own heartbeat: when that stops
coming back the connection is given up, opened anew, every channel subscribed again, and `on_gap` is told, which
resyncs. The parser is hiredis on a plain asyncio protocol: redis-py's own listener costs ten times as much per message.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import hiredis
import structlog
from prometheus_client import Counter, Gauge
from pydantic import SecretStr
from redis.asyncio.connection import parse_url

log = structlog.get_logger()

CHANNELS = Gauge("gateway_channels", "Redis channels that this gateway is subscribed to.")
RECEIVED = Counter("gateway_feed_received_total", "Messages received from Redis channels.")
LOST = Counter("gateway_feed_lost_total", "Times that the subscription had to be opened anew.")

CONNECT_TIMEOUT_S = 2.0
SUBSCRIBE_TIMEOUT_S = 3.0
MAX_BACKOFF_S = 2.0

OnMessage = Callable[[str, bytes], None]
OnGap = Callable[[], Coroutine[Any, Any, None]]
Beat = Callable[[], Awaitable[None]]


class _Wire(asyncio.Protocol):
    """RESP in, RESP out."""

    def __init__(self, on_frame: Callable[[Any], None], on_lost: Callable[[], None]) -> None:
        self._reader = hiredis.Reader()
        self._on_frame = on_frame
        self._on_lost = on_lost
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (frame := self._reader.gets()) is not False:
            self._on_frame(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self._on_lost()

    def send(self, *arguments: str) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(hiredis.pack_command(arguments))  # type: ignore[arg-type]


class Feed:
    """Subscriptions by channel name, and the supervision of the one connection that carries them."""

    def __init__(self, url: SecretStr, own_channel: str, on_message: OnMessage, on_gap: OnGap, beat: Beat) -> None:
        self._url = url.get_secret_value()
        self._own_channel = own_channel
        self._on_message = on_message
        self._on_gap = on_gap
        self._beat = beat
        self._wanted: dict[str, asyncio.Future[None]] = {}
        self._unsent: set[str] = set()
        self._wire: _Wire | None = None
        self._lost = asyncio.Event()
        self._last_beat = 0.0
        self._flush_scheduled = False
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._gap_task: asyncio.Task[None] | None = None
        self.standing = False
        """Messages come in: the connection answered its last heartbeat."""

    def start(self, heartbeat_s: float, timeout_s: float) -> None:
        self._task = asyncio.create_task(self._supervise(heartbeat_s, timeout_s), name="feed")

    async def stop(self) -> None:
        """A flag as well as a cancellation: redis-py may swallow the latter while the beat is being published."""
        self._stopping = True
        self._lost.set()
        for task in (self._task, self._gap_task):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def check(self) -> None:
        """For readiness."""
        if not self.standing:
            raise ConnectionError("not subscribed to Redis")

    def subscribe(self, channel: str) -> asyncio.Future[None]:
        """Done when Redis has confirmed; every message published after that comes. Asked twice it is the same one."""
        known = self._wanted.get(channel)
        if known is not None:
            return known
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wanted[channel] = confirmed
        CHANNELS.set(len(self._wanted))
        self._unsent.add(channel)
        self._schedule_flush()
        return confirmed

    def unsubscribe(self, channel: str) -> None:
        confirmed = self._wanted.pop(channel, None)
        if confirmed is None:
            return
        CHANNELS.set(len(self._wanted))
        confirmed.cancel()
        self._unsent.discard(channel)
        if self._wire is not None:
            self._wire.send("UNSUBSCRIBE", channel)

    def _schedule_flush(self) -> None:
        """Everything that is wanted in one turn of the loop goes out as one SUBSCRIBE."""
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._wire is not None and self._unsent:
            self._wire.send("SUBSCRIBE", *self._unsent)
            self._unsent.clear()

    def _on_frame(self, frame: Any) -> None:
        if not isinstance(frame, list) or not frame:
            return
        kind = frame[0]
        if kind == b"message":
            RECEIVED.inc()
            channel = frame[1].decode()
            if channel == self._own_channel:
                self._last_beat = asyncio.get_running_loop().time()
            else:
                self._on_message(channel, frame[2])
        elif kind == b"subscribe":
            confirmed = self._wanted.get(frame[1].decode())
            if confirmed is not None and not confirmed.done():
                confirmed.set_result(None)

    # ── supervision ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _supervise(self, heartbeat_s: float, timeout_s: float) -> None:
        delay, first = 0.05, True
        while not self._stopping:
            try:
                await self._open()
                if not first:
                    LOST.inc()
                    self._tell_gap()
                first, delay = False, 0.05
                await self._watch(heartbeat_s, timeout_s)
            except (OSError, TimeoutError, hiredis.HiredisError) as error:
                log.warning("feed.lost", error=type(error).__name__)
            finally:
                self._close()
            await asyncio.sleep(delay * random.uniform(0.5, 1.5))  # noqa: S311
            delay = min(delay * 2, MAX_BACKOFF_S)

    async def _open(self) -> None:
        """Connect, authenticate, and subscribe to everything that is wanted."""
        self._lost = asyncio.Event()
        options = parse_url(self._url)
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            _, wire = await asyncio.get_running_loop().create_connection(
                lambda: _Wire(self._on_frame, self._lost.set),
                options.get("host", "localhost"),
                options.get("port", 6379),
                ssl=True if self._url.startswith("rediss:") else None,
            )
        self._wire = wire
        if options.get("password"):
            wire.send("AUTH", options.get("username") or "default", options["password"])
        for channel, confirmed in self._wanted.items():
            if confirmed.done():
                self._wanted[channel] = asyncio.get_running_loop().create_future()
        self.subscribe(self._own_channel)
        self._unsent = set(self._wanted)
        self._flush()
        await self._until_confirmed()
        self._last_beat = asyncio.get_running_loop().time()
        self.standing = True
        log.info("feed.standing", channels=len(self._wanted))

    async def _until_confirmed(self) -> None:
        lost = asyncio.create_task(self._lost.wait())
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_S):
                for confirmed in list(self._wanted.values()):
                    await asyncio.wait((confirmed, lost), return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.cancel()
        if self._lost.is_set():
            raise ConnectionResetError

    async def _watch(self, heartbeat_s: float, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        while not self._lost.is_set():
            await self._beat()
            try:
                async with asyncio.timeout(heartbeat_s):
                    await self._lost.wait()
            except TimeoutError:
                pass
            if loop.time() - self._last_beat > timeout_s:
                raise TimeoutError
        raise ConnectionResetError

    def _tell_gap(self) -> None:
        if self._gap_task is not None:
            self._gap_task.cancel()
        self._gap_task = asyncio.create_task(self._on_gap(), name="gap")

    def _close(self) -> None:
        self.standing = False
        if self._wire is not None and self._wire.transport is not None:
            self._wire.transport.abort()
        self._wire = None
