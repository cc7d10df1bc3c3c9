"""Ways in which a Redis fails without being gone: it pauses, refuses, forgets, or is another one than before.

Each is a context: the fault begins on entering and is over on leaving, by Redis' own commands.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError
from synctalk_backing.redis import redis_url
from synctalk_contracts.accounts import redis_user
from synctalk_local.stack import stack_credentials

from synctalk_systemtest.stack import RunningStack

PAUSE_MS = 2_500
"""Longer than a publisher waits for an answer, shorter than a gateway believes its subscription."""
OTHER_PASSWORD = "another-password"

Client = Any
"""redis-py is typed by half only."""
Fault = Callable[[RunningStack], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def redis_of(stack: RunningStack) -> AsyncIterator[Client]:
    """A client of the stack's own Redis."""
    password = stack_credentials(stack.stack).redis
    client: Client = redis.asyncio.from_url(redis_url(stack.stack.ports.redis, password))
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def paused(stack: RunningStack) -> AsyncIterator[None]:
    """Have it take connections and answer nobody for a while, then answer all that was asked."""
    async with redis_of(stack) as client:
        await client.execute_command("CLIENT", "PAUSE", PAUSE_MS, "ALL")
        yield
        await client.ping()  # answered when the pause is over


@asynccontextmanager
async def refusing_writes(stack: RunningStack) -> AsyncIterator[None]:
    """A primary that has lost its replicas, as in a failover: every write is answered NOREPLICAS."""
    async with redis_of(stack) as client:
        await client.config_set("min-replicas-to-write", 1)
        try:
            yield
        finally:
            await client.config_set("min-replicas-to-write", 0)


@asynccontextmanager
async def demoted(stack: RunningStack) -> AsyncIterator[None]:
    """A replica of nobody that can be reached: writes are READONLY, and a PUBLISH reaches its own clients only."""
    async with redis_of(stack) as client:
        await client.config_set("replica-serve-stale-data", "no")
        await client.execute_command("REPLICAOF", "127.0.0.1", 1)
        try:
            yield
        finally:
            await client.execute_command("REPLICAOF", "NO", "ONE")
            await client.config_set("replica-serve-stale-data", "yes")


@asynccontextmanager
async def full(stack: RunningStack) -> AsyncIterator[None]:
    """Out of memory: what could add to it is answered OOM."""
    async with redis_of(stack) as client:
        before = (await client.config_get("maxmemory"))["maxmemory"]
        await client.config_set("maxmemory", 1)
        try:
            yield
        finally:
            await client.config_set("maxmemory", before)


@asynccontextmanager
async def refusing_publishes(stack: RunningStack) -> AsyncIterator[None]:
    """Everything works but PUBLISH, which is answered NOPERM: subscribers have no way to notice."""
    passwords = stack_credentials(stack.stack).redis_accounts
    async with redis_of(stack) as client:
        await _set_users(client, passwords, without="+publish")
        try:
            yield
        finally:
            await _set_users(client, passwords)


@asynccontextmanager
async def locked_out(stack: RunningStack) -> AsyncIterator[None]:
    """The services' passwords are other ones, and every connection has to sign in again."""
    passwords = stack_credentials(stack.stack).redis_accounts
    async with redis_of(stack) as client:
        await _set_users(client, dict.fromkeys(passwords, OTHER_PASSWORD))
        await _disconnect_all(client)
        try:
            yield
        finally:
            await _set_users(client, passwords)
            await _disconnect_all(client)


async def _set_users(client: Client, passwords: Mapping[str, str], *, without: str | None = None) -> None:
    for service, password in passwords.items():
        _, *arguments = redis_user(service, [password]).split()
        await client.execute_command("ACL", "SETUSER", *(each for each in arguments if each != without))


@asynccontextmanager
async def restarted_empty(stack: RunningStack) -> AsyncIterator[None]:
    """Killed and back with nothing: no subscriptions, no leases, no scripts."""
    killed = stack.kill("redis")
    yield
    await asyncio.to_thread(stack.wait_running, "redis", other_than=killed)


async def _disconnect_all(client: Client) -> None:
    for kind in ("normal", "pubsub"):
        with suppress(RedisError):
            await client.execute_command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes")


FAULTS: dict[str, Fault] = {
    "paused": paused,
    "refusing_writes": refusing_writes,
    "demoted": demoted,
    "full": full,
    "refusing_publishes": refusing_publishes,
    "locked_out": locked_out,
    "restarted_empty": restarted_empty,
}
