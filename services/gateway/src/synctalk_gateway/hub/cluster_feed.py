"""The subscriptions of this gateway on a Redis Cluster: a `Feed` on each primary, for the channels of its slots.

Each watches a heartbeat of its own. What one of them may have missed is known by its channels: `on_gap` is called with
these and no others, after they were subscribed anew, be it there or, after a failover or when a slot has moved, on
another primary.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import structlog
from prometheus_client import Counter
from pydantic import SecretStr
from synctalk_contracts import topology
from synctalk_runtime.background import FAILED, Tasks
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis_connection import RedisAddress
from synctalk_runtime.slot_map import SlotMap, slot_of

from synctalk_gateway.hub.feed import CHANNELS, GAP_RETRY_S, Feed, Receive

log = structlog.get_logger()

MOVED = Counter("gateway_feed_moved_total", "Channels that were subscribed anew on another primary.")

OnChannelsGap = Callable[[Sequence[str]], Coroutine[Any, Any, None]]
BeatOn = Callable[[str], Awaitable[int]]
"""Publishes on that channel; returns how many subscribers it had. Raises UnavailableError."""


class ClusterFeed:
    """As `Feed`. `replies` is the channel without which nothing can be acked: what it is, all of this is, `live`."""

    in_cluster = True

    def __init__(
        self, url: SecretStr, gateway: str, beat: BeatOn, on_down: Callable[[], None], ca_file: Path | None = None
    ) -> None:
        self._gateway = gateway
        self._replies = topology.replies_channel(gateway)
        self._beat = beat
        self._on_down = on_down
        self._slots = SlotMap(RedisAddress.of_cluster(url, ca_file), self._follow)
        self._feeds: dict[RedisAddress, Feed] = {}
        self._own_channels: dict[RedisAddress, str] = {}
        self._homeless = Feed(RedisAddress.of_cluster(url, ca_file)[0], "", partial(beat, ""), on_down)
        """Never started: has the channels of slots that nobody is known to serve, or that have just left a node."""
        self._where: dict[str, Feed] = {}
        self._missed: set[str] = set()
        """Of the homeless channels those that were subscribed to before."""
        self._start: Callable[[Feed], None] | None = None
        self._on_gap: OnChannelsGap | None = None
        self._tasks = Tasks()

    @property
    def live(self) -> bool:
        """Return whether replies come in."""
        return self._where.get(self._replies, self._homeless).live

    def start(self, on_gap: OnChannelsGap, heartbeat_s: float, timeout_s: float) -> None:
        """Connect and stay connected; `on_gap` runs with the channels of which messages may have been lost."""
        self._on_gap = on_gap
        self._start = lambda feed: feed.start(partial(self._handle_gap_of, feed), heartbeat_s, timeout_s)
        self._tasks.spawn("cluster-feed", self._find_servers())

    async def stop(self) -> None:
        await self._slots.close()
        await self._tasks.stop()
        await asyncio.gather(*(feed.stop() for feed in self._feeds.values()))

    async def check(self) -> None:
        """Raise ConnectionError while replies do not come in, for readiness."""
        if not self.live:
            raise ConnectionError("not subscribed to Redis")

    def subscribe(self, channel: str, receive: Receive) -> asyncio.Future[None]:
        feed = self._where.get(channel)
        if feed is None:
            feed = self._where[channel] = self._of(channel)
            CHANNELS.set(len(self._where))
        return feed.subscribe(channel, receive)

    def unsubscribe(self, channel: str) -> None:
        feed = self._where.pop(channel, None)
        if feed is not None:
            feed.unsubscribe(channel)
            self._missed.discard(channel)
            CHANNELS.set(len(self._where))

    def _of(self, channel: str) -> Feed:
        owner = self._slots.owner(slot_of(channel))
        return self._homeless if owner is None else self._feeds.get(owner, self._homeless)

    async def _find_servers(self) -> None:
        """Read the map until there is one, and again while a channel is nowhere."""
        while True:
            if self._homeless.subscribed:
                await self._slots.read()
                self._move_channels(self._homeless.subscribed)
            await asyncio.sleep(GAP_RETRY_S)

    # ── the map has changed ──────────────────────────────────────────────────────────────────────────────────────

    def _follow(self) -> None:
        """Have a feed on every primary, and every channel on the one that serves its slot."""
        if self._start is None:
            return
        primaries = self._slots.primaries
        for address in primaries - self._feeds.keys():
            self._feeds[address] = self._feed_on(address)
        self._move_channels(self._where)
        for address, feed in list(self._feeds.items()):
            if address not in primaries:
                del self._feeds[address], self._own_channels[address]
                self._tasks.spawn("feed-end", feed.stop())
            elif self._slots.owner(slot_of(self._own_channels[address])) != address:
                self._own_channels[address] = self._own_channel_on(address)
                feed.beat_on(self._own_channels[address])

    def _move_channels(self, channels: Iterable[str]) -> None:
        """Move what of it is not where its slot is. What was subscribed to before may have missed something."""
        moved: dict[str, asyncio.Future[None]] = {}
        for channel in channels:
            feed, new = self._where[channel], self._of(channel)
            if new is feed:
                continue
            self._where[channel] = new
            confirmed = new.take_over(channel, feed)
            if feed is not self._homeless:
                self._missed.add(channel)
            if new is not self._homeless and channel in self._missed:
                self._missed.discard(channel)
                moved[channel] = confirmed
        if self._replies in moved:
            self._on_down()
        if moved:
            MOVED.inc(len(moved))
            log.warning("feed.moved", channels=len(moved))
            self._tasks.spawn("gap", self._handle_gap(moved))

    def _feed_on(self, address: RedisAddress) -> Feed:
        own_channel = self._own_channels[address] = self._own_channel_on(address)
        feed = Feed(
            address,
            own_channel,
            lambda: self._beat(self._own_channels.get(address, own_channel)),
            lambda: self._on_feed_down(address),
            on_moved=partial(self._on_moved, address),
            on_ended=self._on_ended,
        )
        if self._start is not None:
            self._start(feed)
        return feed

    def _own_channel_on(self, address: RedisAddress) -> str:
        channels = (topology.heartbeat_channel(self._gateway, number) for number in count())
        return next(channel for channel in channels if self._slots.owner(slot_of(channel)) == address)

    def _on_feed_down(self, address: RedisAddress) -> None:
        if self._slots.owner(slot_of(self._replies)) == address:
            self._on_down()

    def _on_moved(self, address: RedisAddress, reply: str) -> None:
        """A node refused a channel, or is away."""
        self._slots.read_soon()
        if reply:
            self._slots.note_moved(reply, address)

    def _on_ended(self, channel: str) -> None:
        """Take the channel from the node that has ended it: a map that is read may still have it there."""
        feed = self._where.get(channel)
        if feed is not None:
            self._where[channel] = self._homeless
            self._homeless.take_over(channel, feed)
            self._missed.add(channel)
            if channel == self._replies:
                self._on_down()
        self._slots.read_soon()

    # ── what was missed ──────────────────────────────────────────────────────────────────────────────────────────

    async def _handle_gap_of(self, feed: Feed) -> None:
        if self._on_gap is not None:
            await self._on_gap(feed.subscribed)

    async def _handle_gap(self, moved: "dict[str, asyncio.Future[None]]") -> None:
        """Have those synced that are subscribed to on their new server. If that breaks, its own gap has them too."""
        for confirmed in moved.values():
            if not confirmed.done():
                await asyncio.wait([confirmed])
        while self._on_gap is not None:
            try:
                await self._on_gap(list(moved))
                return
            except UnavailableError:
                await asyncio.sleep(GAP_RETRY_S)
            except Exception as error:  # whatever it was: sockets that missed something must sync
                FAILED.labels("gap", "bug").inc()
                log.exception("feed.gap_failed", error=type(error).__name__)
                await asyncio.sleep(GAP_RETRY_S)
