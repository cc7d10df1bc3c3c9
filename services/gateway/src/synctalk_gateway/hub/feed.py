"""A subscription on one server of Redis: one connection, exactly the channels that this gateway's sockets need there.

Redis pub/sub is at most once and its gaps are silent, so the connection watches its own heartbeat: when that reaches
nobody or stops coming back the connection is given up, opened anew, every channel subscribed again, and `on_gap` is
called, which resyncs. `on_down` is called as soon as messages may be lost. redis-py's own listener costs ten times as
much per message. On a cluster there is one for each primary (`cluster_feed.py`), which subscribes by slot.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import hiredis
import structlog
from prometheus_client import Counter, Gauge
from pydantic import SecretStr
from synctalk_runtime.background import FAILED, Backoff, Tasks, wait
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_connection import RedisAddress, RedisConnection, code_of, open_connection

log = structlog.get_logger()

CHANNELS = Gauge("gateway_channels", "Redis channels that this gateway is subscribed to.")
RECEIVED = Counter("gateway_feed_received_total", "Messages received from Redis channels.")
LOST = Counter("gateway_feed_lost_total", "Times that the subscription had to be opened anew.")
UNREADABLE = Counter("gateway_unreadable_total", "Messages of the feed that could not be read or delivered.")

SUBSCRIBE_CHANNELS = 1_000
"""In one command, and unconfirmed at once when all are subscribed anew: Redis serves others in between. Such a
portion takes it 0.6 ms, 50,000 in one command 39 ms."""
SUBSCRIBE_TIMEOUT_S = 3.0
MIN_BACKOFF_S, MAX_BACKOFF_S = 0.05, 0.6
GAP_RETRY_S = 0.5
REFUSED_RETRY_S = 0.2

Receive = Callable[[bytes], None]
"""Takes what is published on one channel."""

OnGap = Callable[[], Coroutine[Any, Any, None]]
Beat = Callable[[], Awaitable[int]]
"""Publishes on the own channel; returns how many subscribers that server had. Raises UnavailableError."""


OnMoved = Callable[[str], None]
"""Takes the error reply by which a node of a cluster refused to subscribe, or "" when it may not know or is away."""

OnEnded = Callable[[str], None]
"""Takes the channel of which a node of a cluster has ended the subscription: its slot is not the node's any more."""


@dataclass(frozen=True, slots=True)
class _Words:
    """The commands and frames of plain or sharded pub/sub."""

    subscribe: str
    unsubscribe: str
    message: bytes
    subscribed: bytes
    unsubscribed: bytes


PLAIN = _Words("SUBSCRIBE", "UNSUBSCRIBE", b"message", b"subscribe", b"unsubscribe")
SHARDED = _Words("SSUBSCRIBE", "SUNSUBSCRIBE", b"smessage", b"ssubscribe", b"sunsubscribe")


class Channels(Protocol):
    """What receives from Redis: a `Feed` on one server, or a `ClusterFeed` on the primaries of a cluster."""

    in_cluster: bool

    @property
    def live(self) -> bool: ...
    def subscribe(self, channel: str, receive: Receive) -> "asyncio.Future[None]": ...
    def unsubscribe(self, channel: str) -> None: ...
    async def stop(self) -> None: ...
    async def check(self) -> None: ...


class Feed:
    """Subscriptions by channel name, and the supervision of the one connection that carries them."""

    in_cluster = False

    def __init__(
        self,
        server: SecretStr | RedisAddress,
        own_channel: str,
        beat: Beat,
        on_down: Callable[[], None],
        ca_file: Path | None = None,
        on_moved: OnMoved | None = None,
        on_ended: OnEnded | None = None,
    ) -> None:
        self._address = server if isinstance(server, RedisAddress) else RedisAddress.of(server, ca_file)
        self._words = SHARDED if self._address.in_cluster else PLAIN
        self._on_moved = on_moved
        self._on_ended = on_ended
        self._own_channel = own_channel
        self._beat = beat
        self._on_down = on_down
        self._wanted: dict[str, asyncio.Future[None]] = {}
        self._receivers: dict[str, Receive] = {}
        self._unsent: set[str] = set()
        self._unconfirmed: dict[str, int] = {}
        self._connection: RedisConnection | None = None
        self._lost = asyncio.Event()
        self._last_beat = 0.0
        self._flush_scheduled = False
        self._asks_again = False
        self._stopping = False
        self._is_whole = False
        self._tasks = Tasks()
        self._gap_task: asyncio.Task[None] | None = None
        self.live = False
        """Messages come in: the last heartbeat went out, and came back."""

    def start(self, on_gap: OnGap, heartbeat_s: float, timeout_s: float) -> None:
        """Connect and stay connected; `on_gap` runs whenever messages may have been lost."""
        self._tasks.spawn("feed", self._supervise(on_gap, heartbeat_s, timeout_s))

    async def stop(self) -> None:
        self._stopping = True
        self._lost.set()
        await self._tasks.stop()

    async def check(self) -> None:
        """Raise ConnectionError while messages do not come in, for readiness."""
        if not self.live:
            raise ConnectionError("not subscribed to Redis")

    def _set_live(self, live: bool) -> None:
        lost, self.live = self.live and not live, live
        if lost:
            self._on_down()

    def subscribe(self, channel: str, receive: Receive) -> asyncio.Future[None]:
        """Have what is published on the channel received, by the latest `receive` that was given for it.

        Done when Redis has confirmed: every message published after that comes. Asked twice it is the same future.
        """
        self._receivers[channel] = receive
        known = self._wanted.get(channel)
        if known is not None:
            return known
        confirmed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wanted[channel] = confirmed
        self._count()
        self._unsent.add(channel)
        self._schedule_flush()
        return confirmed

    def unsubscribe(self, channel: str) -> None:
        self._receivers.pop(channel, None)
        confirmed = self._wanted.pop(channel, None)
        if confirmed is None:
            return
        self._count()
        confirmed.cancel()
        self._unsent.discard(channel)
        if self._connection is not None:
            self._connection.send(self._words.unsubscribe, channel)

    def _count(self) -> None:
        if not self._address.in_cluster:
            CHANNELS.set(len(self._wanted))

    @property
    def subscribed(self) -> list[str]:
        """Return all that is subscribed to here, but the own channel."""
        return [channel for channel in self._wanted if channel != self._own_channel]

    def take_over(self, channel: str, other: "Feed") -> asyncio.Future[None]:
        """Subscribe here to what was subscribed to there; who waits for it there waits for it here."""
        receive, confirmed = other._receivers.pop(channel), other._wanted.pop(channel)
        other._unsent.discard(channel)
        other._unconfirmed.pop(channel, None)
        self._receivers[channel] = receive
        if confirmed.done():
            confirmed = asyncio.get_running_loop().create_future()
        self._wanted[channel] = confirmed
        self._unsent.add(channel)
        self._schedule_flush()
        return confirmed

    def beat_on(self, own_channel: str) -> None:
        """Beat on another channel: the slot of that one has moved."""
        old, self._own_channel = self._own_channel, own_channel
        self._wanted.pop(old, None)
        self._wanted[own_channel] = asyncio.get_running_loop().create_future()
        self._last_beat = asyncio.get_running_loop().time()
        self._unsent.add(own_channel)
        self._schedule_flush()

    def _schedule_flush(self) -> None:
        """Everything that is wanted in one turn of the loop goes out together."""
        if not self._flush_scheduled:
            self._flush_scheduled = True
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        self._flush_scheduled = False
        if self._connection is None:
            return  # once connected, all that is wanted is subscribed
        for portion in _portions(list(self._unsent)):
            self._send_subscribe(portion)
        self._unsent.clear()

    def _send_subscribe(self, channels: Sequence[str]) -> None:
        if self._connection is not None and channels:
            if self._address.in_cluster:
                for channel in channels:  # one command names channels of one slot only; they leave in one write
                    self._connection.send(self._words.subscribe, channel)
            else:
                self._connection.send(self._words.subscribe, *channels)
            for channel in channels:
                self._unconfirmed[channel] = self._unconfirmed.get(channel, 0) + 1

    def _on_frame(self, frame: Any) -> None:
        if isinstance(frame, hiredis.ReplyError):
            self._on_refused(str(frame))
            return
        if not isinstance(frame, list) or not frame:
            return
        kind = frame[0]
        if kind == self._words.message:
            RECEIVED.inc()
            channel = frame[1].decode()
            if channel == self._own_channel:
                self._last_beat = asyncio.get_running_loop().time()
                self._set_live(self._is_whole)
            else:
                self.receive(channel, frame[2])
        elif kind == self._words.subscribed:
            self._on_subscribed(frame[1].decode())
        elif kind == self._words.unsubscribed:
            self._on_unsubscribed(frame[1].decode())

    def _on_refused(self, reply: str) -> None:
        code = code_of(reply)
        if self._on_moved is None or code not in ("MOVED", "CLUSTERDOWN"):
            log.warning("feed.refused", code=code)
            self._lost.set()
            return
        self._on_moved(reply if code == "MOVED" else "")
        if not self._asks_again:
            self._asks_again = True
            asyncio.get_running_loop().call_later(REFUSED_RETRY_S, self._ask_again)

    def _ask_again(self) -> None:
        """Ask for what was not confirmed and is still wanted here: other nodes may not know yet what this one does."""
        self._asks_again = False
        self._unconfirmed.clear()
        self._unsent |= {channel for channel, confirmed in self._wanted.items() if not confirmed.done()}
        self._schedule_flush()

    def receive(self, channel: str, data: bytes) -> None:
        """Hand a message to whom the channel belongs. What cannot be read is logged and dropped."""
        receive = self._receivers.get(channel)
        if receive is None:
            return
        try:
            receive(data)
        except Exception as error:  # one bad message must not cost the next one
            UNREADABLE.inc()
            log.exception("feed.unreadable", channel=channel.partition(":")[0], error=type(error).__name__)

    def _on_subscribed(self, channel: str) -> None:
        """Note a confirmation; of a channel that was left and taken again meanwhile only the last one counts."""
        unconfirmed = self._unconfirmed.pop(channel, 1) - 1
        if unconfirmed > 0:
            self._unconfirmed[channel] = unconfirmed
            return
        confirmed = self._wanted.get(channel)
        if confirmed is not None and not confirmed.done():
            confirmed.set_result(None)

    def _on_unsubscribed(self, channel: str) -> None:
        """Note an end that was not asked for: one that was is not wanted, or asked for anew and not confirmed yet."""
        confirmed = self._wanted.get(channel)
        if self._on_ended is not None and confirmed is not None and confirmed.done():
            self._on_ended(channel)

    # ── supervision ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _supervise(self, on_gap: OnGap, heartbeat_s: float, timeout_s: float) -> None:
        backoff, first = Backoff(MIN_BACKOFF_S, MAX_BACKOFF_S), True
        while not self._stopping:
            try:
                await self._open()
                if not first:
                    LOST.inc()
                    self._start_gap(on_gap)
                first = False
                backoff.reset()
                await self._watch(heartbeat_s, timeout_s)
            except (OSError, TimeoutError, UnavailableError) as error:
                log.warning("feed.lost", server=self._address.server, error=type(error).__name__)
                if self._on_moved is not None:
                    self._on_moved("")
            except Exception as error:  # whatever it was: all is opened anew
                FAILED.labels("feed", "bug").inc()
                log.exception("feed.failed", error=type(error).__name__)
            finally:
                self._close()
            await asyncio.sleep(backoff.next())

    async def _open(self) -> None:
        """Connect, and subscribe to everything that is wanted, so many channels at a time."""
        self._lost = lost = asyncio.Event()
        self._connection = await open_connection(self._address, self._on_frame, lost.set)
        loop = asyncio.get_running_loop()
        for channel in (self._own_channel, *self._wanted):
            confirmed = self._wanted.get(channel)
            if confirmed is None or confirmed.done():
                self._wanted[channel] = loop.create_future()
        self._count()
        self._unconfirmed.clear()
        self._unsent.clear()
        for portion in _portions(list(self._wanted)):
            wanted = [channel for channel in portion if channel in self._wanted]
            self._send_subscribe(wanted)
            await self._until_confirmed(wanted)
        self._last_beat = loop.time()
        self._is_whole = True
        self._set_live(True)
        log.info("feed.live", channels=len(self._wanted))

    async def _until_confirmed(self, channels: Sequence[str]) -> None:
        confirmed = [self._wanted[channel] for channel in channels]
        lost = asyncio.create_task(self._lost.wait())
        try:
            async with asyncio.timeout(SUBSCRIBE_TIMEOUT_S):
                for one in confirmed:
                    if not one.done():
                        await asyncio.wait((one, lost), return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.cancel()
        if self._lost.is_set():
            raise ConnectionResetError

    async def _watch(self, heartbeat_s: float, timeout_s: float) -> None:
        loop = asyncio.get_running_loop()
        while not self._lost.is_set():
            await self._send_beat()
            await wait(self._lost, heartbeat_s)
            if loop.time() - self._last_beat > timeout_s:
                raise TimeoutError
        raise ConnectionResetError

    async def _send_beat(self) -> None:
        """Publish a heartbeat. Raises ConnectionResetError: nobody got it, so events go to another server."""
        try:
            receivers = await self._beat()
        except UnavailableError:
            self._set_live(False)
            return
        if receivers == 0:
            raise ConnectionResetError

    def _start_gap(self, on_gap: OnGap) -> None:
        if self._gap_task is not None:
            self._gap_task.cancel()
        self._gap_task = self._tasks.spawn("gap", self._handle_gap(on_gap))

    async def _handle_gap(self, on_gap: OnGap) -> None:
        while True:
            try:
                return await on_gap()
            except Exception as error:  # whatever it was: sockets that missed something must sync
                FAILED.labels("gap", "bug").inc()
                log.exception("feed.gap_failed", error=type(error).__name__)
                await asyncio.sleep(GAP_RETRY_S)

    def _close(self) -> None:
        self._is_whole = False
        self._set_live(False)
        if self._connection is not None:
            self._connection.drop()
        self._connection = None


def _portions(channels: Sequence[str]) -> list[Sequence[str]]:
    return [channels[n : n + SUBSCRIBE_CHANNELS] for n in range(0, len(channels), SUBSCRIBE_CHANNELS)]
