"""Scripts over several shards: one that fails gives its connection back."""

import pytest
from pydantic import SecretStr
from synctalk_presence.store.shards import ShardScript, due_key
from synctalk_runtime import redis as runtime_redis
from synctalk_runtime.errors import UnavailableError
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_redis import own_redis


async def test_call__the_scripts_cannot_be_loaded__its_connection_is_used_again() -> None:
    async with own_redis() as server:
        client = runtime_redis.connect(SecretStr(server.url), max_connections=1)
        script = ShardScript(client, "overdue.lua")
        calls: list[tuple[list[str], list[object]]] = [([due_key(shard)], []) for shard in range(3)]
        await server.command("ACL", "SETUSER", "default", "-script")
        with pytest.raises(UnavailableError):
            await script(calls)
        await server.command("ACL", "SETUSER", "default", "+script")

        async def answers() -> bool:
            try:
                return await script(calls) == [0, 0, 0]
            except UnavailableError:
                return False

        await eventually(answers, 5)
        await client.aclose()
