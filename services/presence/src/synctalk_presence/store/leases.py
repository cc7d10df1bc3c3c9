"""Leases of connections, in Redis: each runs out unless it is renewed. The clock is that of Redis."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from redis.asyncio import Redis
from synctalk_contracts.internal import Lease
from synctalk_contracts.topology import presence_shard
from synctalk_runtime.redis_pipeline import RedisPipeline

from synctalk_presence.settings import Settings
from synctalk_presence.store.shards import (
    KEEP_MS,
    SHARDS,
    Call,
    ShardScript,
    by_shard,
    due_key,
    idle_key,
    leases_key,
    sweep_key,
    user_keys,
)


@dataclass(frozen=True, slots=True)
class LeaseStatus:
    """The status of a user whose leases were due."""

    user_id: str
    gone: bool
    live: bool
    """Neither gone nor live: to be waited for."""
    counted: bool
    """Counts as connected."""
    pending: bool
    """A change of theirs was not announced yet."""
    seen_at: datetime | None
    turned: bool | None
    """They became idle (true) or active (false); None: it is as announced."""


class Leases:
    def __init__(self, client: Redis | RedisPipeline, settings: Settings) -> None:
        self._settings = settings
        self._report = ShardScript(client, "activity.lua", "report.lua")
        self._begin = ShardScript(client, "begin.lua")
        self._take = ShardScript(client, "take.lua")
        self._overdue = ShardScript(client, "overdue.lua")
        self._settle = ShardScript(client, "activity.lua", "settle.lua")
        self._watch = ShardScript(client, "watch.lua")
        self._active = ShardScript(client, "activity.lua", "active.lua")

    async def report(self, renewed: Sequence[Lease], released: Sequence[Lease]) -> list[str]:
        """Renew and end leases; who of the holders does not count as connected yet. Repeating it is harmless."""
        head = [self._settings.lease_ms, self._settings.grace_ms, KEEP_MS]
        calls: dict[int, Call] = {}
        states = [(lease, 2 if lease.active else 1) for lease in renewed] + [(lease, 0) for lease in released]
        for lease, state in states:
            shard = presence_shard(lease.user_id)
            keys, args = calls.setdefault(shard, ([due_key(shard)], list(head)))
            keys += user_keys(lease.user_id)
            args += (lease.user_id, lease.connection_id, state)
        return _distinct(await self._report(list(calls.values())))

    async def begin(self) -> None:
        """Nobody counts as connected: an empty Redis is no outage, after which one would have to wait for renewals."""
        await self._begin([([sweep_key(n)], []) for n in range(SHARDS)])

    async def take(self) -> tuple[list[str], bool]:
        """Claim users who are due, from all shards, and return whether there may be more."""
        s = self._settings
        args = [s.sweep_batch, s.claim_ms, s.lease_ms // 3, s.lease_ms]
        answers = await self._take([([due_key(n), sweep_key(n)], args) for n in range(SHARDS)])
        return _distinct(answers), any(len(answer) == s.sweep_batch for answer in answers)

    async def overdue(self) -> int:
        """Return how many users are due and not taken yet."""
        return sum(await self._overdue([([due_key(n)], []) for n in range(SHARDS)]))

    async def settle(self, user_ids: Sequence[str]) -> list[LeaseStatus]:
        """Return the status of those that were taken. The next lease of one who is gone is an arrival."""
        head = [self._settings.lease_ms, self._settings.grace_ms, KEEP_MS]
        shards = by_shard(user_ids)
        calls: list[Call] = [
            ([due_key(n), sweep_key(n), *_keys(members)], [*head, *members]) for n, members in shards.items()
        ]
        return [
            _status(user_id, answer)
            for members, answers in zip(shards.values(), await self._settle(calls), strict=True)
            for user_id, answer in zip(members, answers, strict=True)
        ]

    async def watch(self, user_ids: Sequence[str]) -> int:
        """Look at these in one lease time, if no look is planned; how many that were."""
        calls: list[Call] = [
            ([due_key(n)], [self._settings.lease_ms, *members]) for n, members in by_shard(user_ids).items()
        ]
        return sum(await self._watch(calls))

    async def active(self, user_ids: Sequence[str]) -> set[str]:
        """Return those who have an active connection at this moment; those in their grace period have none."""
        shards = by_shard(user_ids)
        calls: list[Call] = [
            ([key for user_id in members for key in (leases_key(user_id), idle_key(user_id))], [])
            for members in shards.values()
        ]
        return {
            user_id
            for members, answers in zip(shards.values(), await self._active(calls), strict=True)
            for user_id, is_active in zip(members, answers, strict=True)
            if is_active
        }


def _keys(user_ids: Sequence[str]) -> list[str]:
    return [key for user_id in user_ids for key in user_keys(user_id)]


def _distinct(answers: Sequence[Sequence[bytes]]) -> list[str]:
    return list(dict.fromkeys(user_id.decode() for answer in answers for user_id in answer))


def _status(user_id: str, answer: Sequence[Any]) -> LeaseStatus:
    state, counted, pending, seen_ms, turned = answer
    return LeaseStatus(
        user_id=user_id,
        gone=state == 0,
        live=state == 2,
        counted=bool(counted),
        pending=bool(pending),
        seen_at=datetime.fromtimestamp(seen_ms / 1000, UTC) if seen_ms else None,
        turned=turned == 1 if turned else None,
    )
