"""The fixtures that everyone's integration tests stand on."""

import aio_pika
import asyncpg
import pytest
import redis.asyncio
from synctalk_testkit.plugin import Fresh, FreshDatabase


async def test_fresh_database__role_of_another__cannot_connect(fresh_database: FreshDatabase) -> None:
    one, other = await fresh_database("auth"), await fresh_database("api")
    foreign = one.rsplit("/", 1)[0] + "/" + other.rsplit("/", 1)[1]

    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await asyncpg.connect(foreign)


async def test_fresh_database__its_own_role__makes_tables_and_trusted_extensions(fresh_database: FreshDatabase) -> None:
    connection = await asyncpg.connect(await fresh_database("api"))

    await connection.execute("create table note (id int primary key)")
    await connection.execute("create extension pg_trgm")

    assert await connection.fetchval("select count(*) from note") == 0
    await connection.close()


async def test_postgres_url__in_a_module__serves(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    assert await connection.fetchval("select 1") == 1
    await connection.close()


async def test_redis_url__serves(redis_url: str) -> None:
    async with redis.asyncio.from_url(redis_url) as client:
        await client.set("note", "1", ex=60)
        assert await client.get("note") == b"1"


async def test_rabbitmq_url__serves__queues_can_be_declared(rabbitmq_url: str) -> None:
    connection = await aio_pika.connect(rabbitmq_url)
    async with connection:
        channel = await connection.channel()
        queue = await channel.declare_queue("note", durable=True)
        assert queue.declaration_result.message_count == 0


async def test_fresh_vhost__made_twice__are_apart(fresh_vhost: Fresh) -> None:
    assert await fresh_vhost() != await fresh_vhost()
