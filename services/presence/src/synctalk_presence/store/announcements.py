"""What was last said of a person, in Redis, and the saying of something new: each change once, the newest last.

`intend` before the change is committed, `announce` after. Whoever stops in between leaves a mark: the sweep goes on.
"""

from collections.abc import Sequence
from typing import Any

from prometheus_client import Counter
from redis.asyncio import Redis
from synctalk_contracts import topology
from synctalk_contracts.fanout import PresenceEvent

from synctalk_presence.person import Appearance
from synctalk_presence.settings import Settings
from synctalk_presence.store.shards import KEEP_MS, ShardScript, by_shard, due_key, leases_key, person_key

ANNOUNCED = Counter("presence_announcements_total", "Outcomes of announcements.", ["outcome"])

_OUTCOMES = {2: "shown", 1: "own", 0: "nothing_new", -1: "too_late"}


class Announcements:
    def __init__(self, client: Redis, settings: Settings) -> None:
        self._settings = settings
        self._intend = ShardScript(client, "intend.lua")
        self._announce = ShardScript(client, "announce.lua")

    async def intend(self, people: Sequence[Appearance]) -> None:
        """These, as they are now, may change."""
        calls = []
        for shard, members in _by_shard(people).items():
            keys: list[str] = [due_key(shard)]
            args: list[Any] = [self._settings.claim_ms, KEEP_MS]
            for one in members:
                keys.append(person_key(one.user_id))
                args += (one.user_id, one.shown.to_bytes(), one.own.to_bytes())
            calls.append((keys, args))
        await self._intend(calls)

    async def announce(self, people: Sequence[Appearance], *, arrived: bool = False) -> None:
        """These are so now, by a committed change. `arrived`: their leases made it so."""
        calls = []
        for shard, members in _by_shard(people).items():
            keys: list[str] = [due_key(shard)]
            args: list[Any] = [self._settings.grace_ms, KEEP_MS]
            for one in members:
                keys += (leases_key(one.user_id), person_key(one.user_id))
                args += _announcement(one, arrived=arrived)
            calls.append((keys, args))
        for outcomes in await self._announce(calls):
            for outcome in outcomes:
                ANNOUNCED.labels(_OUTCOMES[outcome]).inc()


def _by_shard(people: Sequence[Appearance]) -> dict[int, list[Appearance]]:
    by_id = {one.user_id: one for one in people}
    return {shard: [by_id[user_id] for user_id in members] for shard, members in by_shard(by_id).items()}


def _announcement(one: Appearance, *, arrived: bool) -> tuple[Any, ...]:
    return (
        one.user_id,
        topology.presence_channel(one.user_id),
        one.person.version,
        int(one.person.connected),
        int(arrived),
        one.shown.to_bytes(),
        one.own.to_bytes(),
        PresenceEvent(shown=one.shown, own=one.own).to_bytes(),
        PresenceEvent(shown=one.shown, own=one.own, shown_changed=False).to_bytes(),
    )
