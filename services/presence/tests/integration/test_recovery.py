"""Backing services that are away, that forget, or that stop half way."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import asyncpg
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs
from synctalk_contracts.internal import Lease
from synctalk_contracts.topology import presence_shard
from synctalk_presence import rules
from synctalk_presence.settings import Settings
from synctalk_presence.store import shards, users
from synctalk_presence.store.announcements import Announcements
from synctalk_presence.store.leases import Leases
from synctalk_presence.user_presence import UserPresence
from synctalk_runtime.background import FAILED
from synctalk_runtime.postgres import Postgres
from synctalk_testkit.eventually import eventually
from synctalk_testkit.own_redis import own_redis

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from services.presence.tests.harness import ApiStub, Listen, Service, StartPresence


@pytest_asyncio.fixture
async def presence(start_presence: StartPresence) -> Service:
    """One for each test here: none may run beside those that begin with an outage."""
    return await start_presence()


@pytest_asyncio.fixture
async def postgres(settings: Settings) -> AsyncIterator[Postgres]:
    postgres = Postgres(settings)
    await postgres.open()
    yield postgres
    await postgres.close()


async def _store(postgres: Postgres, user: UserPresence) -> None:
    async with postgres.transaction() as conn:
        await users.lock(conn, [user.user_id])
        await users.save(conn, [user])


async def test_redis__that_forgets_everything__nobody_seems_to_leave(
    presence: Service, api: ApiStub, listen: Listen, redis: Redis, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    received = await listen(ada)
    connection = await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])
    await redis.flushall()
    assert await presence.status_of(ben, ada) == "online"
    await presence.connect(ada, connection)
    assert await presence.status_of(ben, ada) == "online"
    await presence.set_own(ada, status="dnd")
    await eventually(lambda: received.statuses(ada) == ["online", "dnd"])


async def test_redis__that_forgets__who_did_not_come_back_is_offline_after_a_lease_time(
    presence: Service, listen: Listen, redis: Redis, ada: str
) -> None:
    received = await listen(ada)
    await presence.connect(ada)
    await eventually(lambda: received.statuses(ada) == ["online"])
    await redis.flushall()
    await eventually(lambda: received.statuses(ada) == ["online", "offline"])
    assert received.of(ada)[-1].shown.last_seen_at is not None


async def test_redis__that_restarts_empty__goes_on(presence: Service, listen: Listen, redis: Redis, ada: str) -> None:
    connection = await presence.connect(ada)
    await redis.flushall()
    await redis.script_flush()
    await redis.client_kill_filter(_type="normal", skipme=True)
    received = await listen(ada)

    async def renewed() -> bool:
        return (await presence.report(held=[(ada, connection)])).status == 204

    await eventually(renewed)
    await presence.disconnect(ada, connection)
    await eventually(lambda: received.statuses(ada) == ["offline"])


async def test_presence__away_for_longer_than_a_lease__nobody_seems_to_leave(
    start_presence: StartPresence,
    settings: Settings,
    listen: Listen,
    redis: Redis,
    postgres: Postgres,
    ada: str,
) -> None:
    """Gateways could not renew meanwhile: that their leases ended says nothing of the users."""
    await redis.flushall()
    received = await listen(ada)
    await _store(postgres, UserPresence(ada, connected=True, version=1))
    leases = Leases(redis, settings.model_copy(update={"lease_s": 0.05}))
    await leases.report([Lease(user_id=ada, connection_id="1-a")], [])

    async def ended() -> bool:
        return not await leases.active([ada])

    await eventually(ended)
    service = await start_presence()
    await eventually(lambda: _has_lease(redis, ada))
    assert (await service.report(held=[(ada, "1-a")])).status == 204
    await service.set_own(ada, status="dnd")
    await service.disconnect(ada, "1-a")
    await eventually(lambda: received.statuses(ada) == ["dnd", "offline"])


async def _has_lease(redis: Redis, user_id: str) -> bool:
    shard = presence_shard(user_id)
    hold = await redis.hget(shards.sweep_key(shard), "hold")
    return hold is not None and float(hold) == await redis.zscore(shards.due_key(shard), user_id)


async def test_new_system__its_first_user_idle_everywhere__is_away_at_once(
    start_presence: StartPresence, postgres: Postgres, listen: Listen, redis: Redis, ada: str
) -> None:
    """An empty Redis is an outage only where somebody counts as connected."""
    await redis.flushall()
    async with postgres.transaction() as conn:
        await conn.execute("delete from people")
    received = await listen(ada)
    service = await start_presence(lease_s=60.0)
    await service.use(ada, await service.connect(ada), active=False)
    await eventually(lambda: received.statuses(ada) == ["online", "away"])


async def test_mark__that_is_looked_at_within_the_grace__does_not_end_it(
    start_presence: StartPresence, settings: Settings, listen: Listen, redis: Redis, ada: str
) -> None:
    received = await listen(ada)
    service = await start_presence(grace_s=2.5)
    connection = await service.connect(ada)
    await service.disconnect(ada, connection)
    announcements = Announcements(redis, settings.model_copy(update={"claim_s": 0.01}))
    await announcements.intend([rules.appearance(UserPresence(ada, connected=True))])

    async def looked_at() -> bool:
        return not await redis.hexists(shards.user_key(ada), "pending")

    await eventually(looked_at)
    assert await service.status_of(ada, ada) == "online"
    await service.connect(ada)
    await service.set_own(ada, status="dnd")
    await eventually(lambda: received.statuses(ada) == ["online", "dnd"])


async def test_change__committed_but_not_announced__is_announced_by_the_sweep(
    start_presence: StartPresence, settings: Settings, listen: Listen, redis: Redis, postgres: Postgres, ada: str
) -> None:
    """A process that ends between the two: the mark that it left brings the sweep."""
    received = await listen(ada)
    await Announcements(redis, settings).intend([rules.appearance(UserPresence(ada))])
    await _store(postgres, UserPresence(ada, custom_status="committed", version=1))
    await start_presence()
    await eventually(lambda: [e.shown.custom_status for e in received.of(ada)] == ["committed"])


async def test_postgres__that_drops_its_connections__is_used_again(
    presence: Service, database_url: str, ada: str
) -> None:
    await presence.set_own(ada, status="away")
    connection = await asyncpg.connect(database_url)
    await connection.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where usename = current_user and pid <> pg_backend_pid()"
    )
    await connection.close()

    async def answers() -> bool:
        return (await presence.as_user(ada, "GET", f"/v1/presence?user_ids={ada}")).status == 200

    await eventually(answers)
    assert (await presence.call("GET", "/readyz")).status == 200


async def test_start__while_everything_is_away__is_alive_and_not_ready(start_presence: StartPresence, ada: str) -> None:
    nowhere = "127.0.0.1:9"
    service = await start_presence(
        database_url=SecretStr(f"postgresql://nobody@{nowhere}/none"),
        redis_url=SecretStr(f"redis://{nowhere}"),
        rabbitmq_url=SecretStr(f"amqp://{nowhere}"),
    )
    assert (await service.call("GET", "/healthz")).status == 200
    response = await service.call("GET", "/readyz")
    assert response.status == 503
    assert response.body["degraded"] == ["redis", "rabbitmq"]
    assert {name for name, outcome in response.body["checks"].items() if outcome != "ok"} == {
        "postgres",
        "redis",
        "rabbitmq",
    }
    assert (await service.report(held=[(ada, "1-a")])).status == 503
    assert (await service.as_user(ada, "GET", f"/v1/presence?user_ids={ada}")).status == 503


async def test_postgres__away__a_first_connection_is_taken_up_later(
    start_presence: StartPresence, api: ApiStub, listen: Listen, ada: str, ben: str
) -> None:
    api.befriend(ada, ben)
    received = await listen(ada)
    broken = await start_presence(database_url=SecretStr("postgresql://nobody@127.0.0.1:9/none"))
    assert (await broken.report(held=[(ada, "1-a")])).status == 503
    whole = await start_presence(instance="presence-2")
    assert (await whole.report(held=[(ada, "1-a")])).status == 204
    assert await whole.status_of(ben, ada) == "online"
    await eventually(lambda: received.statuses(ada) == ["online"])


async def test_redis__refuses_to_write__is_unavailable_and_well_at_once(
    start_presence: StartPresence, ada: str
) -> None:
    async with own_redis() as server:
        service = await start_presence(redis_url=SecretStr(server.url))
        assert (await service.report(held=[(ada, "1-a")])).status == 204
        for name, refusing, well in (("min-replicas-to-write", "1", "0"), ("maxmemory", "1", "0")):
            await server.command("CONFIG", "SET", name, refusing)
            assert (await service.report(held=[(ada, "1-a")])).status == 503
            assert (await service.as_user(ada, "GET", f"/v1/presence?user_ids={ada}")).status == 200
            await server.command("CONFIG", "SET", name, well)
            assert (await service.report(held=[(ada, "1-a")])).status == 204


async def test_redis__refuses_to_write__the_sweep_tries_less_often_and_says_so_once(
    start_presence: StartPresence, ada: str
) -> None:
    failed = FAILED.labels("sweep", "unavailable")._value
    async with own_redis() as server:
        service = await start_presence(redis_url=SecretStr(server.url), lease_s=30.0)
        connection = await service.connect(ada)
        with capture_logs() as logs:
            await server.command("CONFIG", "SET", "min-replicas-to-write", "1")
            tries, began = failed.get(), time.monotonic()
            assert (await service.report(released=[(ada, connection)])).status == 503
            assert (await service.as_user(ada, "PUT", "/v1/presence/me", json={"status": "dnd"})).status == 503
            assert await service.status_of(ada, ada) == "online"
            assert await service.is_active(ada)
            await eventually(lambda: failed.get() >= tries + 4)
            assert time.monotonic() - began >= 0.8 * (0.2 + 0.4)
            await server.command("CONFIG", "SET", "min-replicas-to-write", "0")
            await service.disconnect(ada, connection)

            async def is_gone() -> bool:
                return await service.status_of(ada, ada) == "offline"

            await eventually(is_gone)

            def said() -> list[str]:
                return [log["event"] for log in logs if log.get("work") == "sweep"]

            await eventually(lambda: "background.resumed" in said())
        assert said() == ["background.unavailable", "background.resumed"]


async def test_openapi__names_every_public_call(presence: Service) -> None:
    response = await presence.call("GET", "/openapi.json")
    assert response.status == 200
    calls = {(m, path): call for path, methods in response.body["paths"].items() for m, call in methods.items()}
    assert {("get", "/v1/presence"), ("put", "/v1/presence/me")} <= calls.keys()
    assert not [path for path in response.body["paths"] if path.startswith("/internal")]
    assert all(call["summary"] for call in calls.values())
    assert calls["put", "/v1/presence/me"]["responses"]["422"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/ErrorBody"
    }
