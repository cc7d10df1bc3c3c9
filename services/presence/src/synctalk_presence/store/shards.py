"""The shards of presence's keys, and running a script over several of them.

A user's keys and the index that names them lie in one of 16 shards, by a hash tag: so each script is atomic on a
Redis Cluster too, and no single index grows without end. Presence alone writes these keys.

| key | what |
|---|---|
| `presence:{n}:due` | sorted set, user → the time (Unix ms) when the sweep looks at them next |
| `presence:{n}:sweep` | hash: `at` the last look; `hold` until when no expired lease counts, after an outage |
| `presence:{n}:leases:<user>` | sorted set, connection → its expiry; negative: closed, a late renewal is ignored |
| `presence:{n}:idle:<user>` | sorted set, idle connection → its expiry; one that is not in it is active |
| `presence:{n}:person:<user>` | hash: as last announced `connected`, `idle`, `version`, `shown`, `own`; |
| | and `pending`, `seen`, `active_until` |
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import Redis
from synctalk_contracts.topology import PRESENCE_SHARDS, presence_shard
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.redis import answering
from synctalk_runtime.redis_pipeline import PipelineScript, RedisPipeline

SHARDS = PRESENCE_SHARDS

KEEP_MS = 3_600_000
"""How long a user's keys outlive the last report about them."""

Call = tuple[list[str], list[Any]]
"""KEYS and ARGV."""


def by_shard(user_ids: Iterable[str]) -> dict[int, list[str]]:
    shards: dict[int, list[str]] = defaultdict(list)
    for user_id in user_ids:
        shards[presence_shard(user_id)].append(user_id)
    return shards


def due_key(shard: int) -> str:
    return f"presence:{{{shard}}}:due"


def sweep_key(shard: int) -> str:
    return f"presence:{{{shard}}}:sweep"


def leases_key(user_id: str) -> str:
    return f"presence:{{{presence_shard(user_id)}}}:leases:{user_id}"


def idle_key(user_id: str) -> str:
    return f"presence:{{{presence_shard(user_id)}}}:idle:{user_id}"


def user_key(user_id: str) -> str:
    return f"presence:{{{presence_shard(user_id)}}}:person:{user_id}"


def user_keys(user_id: str) -> tuple[str, str, str]:
    return leases_key(user_id), idle_key(user_id), user_key(user_id)


class ShardScript:
    """A script of this folder, in one file or several, called for some shards at once."""

    def __init__(self, client: Redis | RedisPipeline, *names: str) -> None:
        sources = [files(__package__).joinpath(name) for name in names]
        self._client = client
        if isinstance(client, RedisPipeline):
            self._pipelined = PipelineScript(client, *sources)
        else:
            self._script = client.register_script("".join(source.read_text() for source in sources))

    async def __call__(self, calls: Sequence[Call]) -> list[Any]:
        """Return one answer for each call, in order.

        Raises UnavailableError; some may have run, and running twice is harmless.
        """
        if not calls:
            return []
        if isinstance(self._client, RedisPipeline):
            return await self._run_pipelined(calls)
        with answering():
            if len(calls) == 1:
                return [await self._script(*calls[0])]
            # redis-py loads the scripts first, and keeps the connection when that fails.
            async with self._client.pipeline(transaction=False) as pipeline:
                for keys, args in calls:
                    await self._script(keys, args, client=pipeline)
                return await pipeline.execute()

    async def _run_pipelined(self, calls: Sequence[Call]) -> list[Any]:
        answers = await self._pipelined.each(calls)
        for answer in answers:
            if isinstance(answer, UnavailableError):
                raise answer
        return answers
