"""Announcements in Redis: what was published last of each user, and publishing what is new, each change once.

`intend` before the change is committed, `announce` after. Whoever stops in between leaves a mark: the sweep goes on.
"""

from collections.abc import Sequence
from typing import Any

from prometheus_client import Counter
from redis.asyncio import Redis
from synctalk_contracts import topology
from synctalk_contracts.fanout import PresenceEvent
from synctalk_runtime.redis_pipeline import RedisPipeline

from synctalk_presence import rules
from synctalk_presence.settings import Settings
from synctalk_presence.store.shards import KEEP_MS, ShardScript, by_shard, due_key, user_key, user_keys
from synctalk_presence.user_presence import Appearance

ANNOUNCED = Counter("presence_announcements_total", "Outcomes of announcements.", ["outcome"])

_OUTCOMES = {2: "shown", 1: "own", 0: "nothing_new", -1: "too_late"}


class Announcements:
    def __init__(self, client: Redis | RedisPipeline, settings: Settings) -> None:
        self._settings = settings
        self._in_cluster = settings.redis_cluster
        self._intend = ShardScript(client, "intend.lua")
        self._announce = ShardScript(client, "activity.lua", "announce.lua")

    async def intend(self, users: Sequence[Appearance]) -> None:
        """These, as they are now, may change."""
        calls = []
        for shard, members in _by_shard(users).items():
            keys: list[str] = [due_key(shard)]
            args: list[Any] = [self._settings.claim_ms, KEEP_MS]
            for one in members:
                keys.append(user_key(one.user_id))
                args += (one.user_id, one.shown_key, one.own_key)
            calls.append((keys, args))
        await self._intend(calls)

    async def announce(self, users: Sequence[Appearance], *, arrived: bool = False) -> None:
        """These are so now, by a committed change. `arrived`: their leases made it so."""
        calls = []
        for shard, members in _by_shard(users).items():
            keys: list[str] = [due_key(shard)]
            args: list[Any] = [self._settings.grace_ms, KEEP_MS, "SPUBLISH" if self._in_cluster else "PUBLISH"]
            for one in members:
                keys += user_keys(one.user_id)
                args += self._announcement(one, arrived=arrived)
            calls.append((keys, args))
        for outcomes in await self._announce(calls):
            for outcome in outcomes:
                ANNOUNCED.labels(_OUTCOMES[outcome]).inc()

    def _announcement(self, one: Appearance, *, arrived: bool) -> tuple[Any, ...]:
        return (
            one.user_id,
            topology.presence_channel(one.user_id, in_cluster=self._in_cluster),
            one.user.version,
            int(one.user.connected),
            int(arrived),
            int(one.user.idle),
            one.shown_key,
            one.own_key,
            _event(one, shown_changed=True),
            _event(one, shown_changed=False),
        )


def _event(one: Appearance, *, shown_changed: bool) -> bytes:
    return PresenceEvent(
        shown=one.shown,
        own=one.own,
        shown_changed=shown_changed,
        last_seen_visible=one.user.last_seen_visible,
        last_seen_at=rules.last_seen_of(one.user),
    ).to_bytes()


def _by_shard(users: Sequence[Appearance]) -> dict[int, list[Appearance]]:
    by_id = {one.user_id: one for one in users}
    return {shard: [by_id[user_id] for user_id in members] for shard, members in by_shard(by_id).items()}
