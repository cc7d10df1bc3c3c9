"""Each service's account at RabbitMQ and Redis: what the service does works with it, what others do is refused."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import pytest
import redis.asyncio
from aiormq.exceptions import ChannelAccessRefused
from pydantic import SecretStr
from redis.exceptions import NoPermissionError
from synctalk_contracts import topology
from synctalk_contracts.accounts import ACCESS
from synctalk_contracts.registry import EVENTS
from synctalk_contracts.topology import ChannelKind
from synctalk_runtime.bus import Bus
from synctalk_runtime.dead_letters import dead_letters
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_testkit.accounts import ServiceAccount
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import is_connected

Accounts = Mapping[str, ServiceAccount]
SERVICES = pytest.mark.parametrize("service", ACCESS)
MAY_NOT = (ChannelAccessRefused, aio_pika.exceptions.ChannelInvalidStateError)


async def _ignore(_: Any) -> None:
    return


@asynccontextmanager
async def _bus(accounts: Accounts, service: str) -> AsyncIterator[Bus]:
    """The bus of a service with all that it consumes."""
    access = ACCESS[service]
    bus = Bus(SecretStr(accounts[service].rabbitmq_url), service)
    for queue in access.consumes:
        bus.subscribe(queue, _ignore)
    for name in access.listens:
        bus.listen(EVENTS[name], _ignore)
    if access.takes_commands:
        bus.serve(lambda: "api-1", _ignore, ttl_ms=5_000, max_length=100)
    await bus.start()
    try:
        await eventually(lambda: is_connected(bus))
        yield bus
    finally:
        await bus.stop()


@SERVICES
async def test_rabbitmq__what_a_service_does__works(accounts: Accounts, service: str) -> None:
    access = ACCESS[service]
    async with _bus(accounts, service) as bus:
        await bus.declare_fed_by(access.publishes)
        for name in access.publishes:
            await bus.publish(topology.EVENTS_EXCHANGE, name, b"[]")
        if access.sends_commands:
            bus.send_command(topology.command_queue("api-1"), b"", ttl_ms=100)
        await bus.check()


@pytest.mark.parametrize("service", [name for name, access in ACCESS.items() if access.consumes])
async def test_rabbitmq__dead_letters_of_a_service__are_tried_again_with_its_account(
    accounts: Accounts, rabbitmq_url: str, service: str
) -> None:
    queues = ACCESS[service].consumes
    async with _bus(accounts, service):
        pass  # the queues are there now
    connection = await aio_pika.connect(rabbitmq_url)
    async with connection, connection.channel() as channel:
        dead = await channel.get_exchange(topology.DEAD_EXCHANGE, ensure=False)
        await dead.publish(aio_pika.Message(b"[]"), routing_key=queues[0].name)

    async with dead_letters(SecretStr(accounts[service].rabbitmq_url), queues) as letters:
        assert await letters.replay() == 1


async def _publishes(url: str, exchange: str, routing_key: str) -> None:
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        target = await channel.get_exchange(exchange, ensure=False) if exchange else channel.default_exchange
        await target.publish(aio_pika.Message(b"[]"), routing_key=routing_key, mandatory=False)


@SERVICES
async def test_rabbitmq__events_of_others__are_refused(accounts: Accounts, service: str) -> None:
    async with _bus(accounts, "api"):
        for name in EVENTS.keys() - set(ACCESS[service].publishes):
            with pytest.raises(MAY_NOT):
                await _publishes(accounts[service].rabbitmq_url, topology.EVENTS_EXCHANGE, name)


@pytest.mark.parametrize("service", ["auth", "api", "presence", "notifier"])
@pytest.mark.parametrize("exchange", ["", topology.COMMANDS_EXCHANGE])
async def test_rabbitmq__commands_of_others_than_gateways__are_refused(
    accounts: Accounts, service: str, exchange: str
) -> None:
    async with _bus(accounts, "api"):
        with pytest.raises(MAY_NOT):
            await _publishes(accounts[service].rabbitmq_url, exchange, topology.command_queue("api-1"))


@pytest.mark.parametrize(
    ("service", "queue"),
    [
        ("gateway", topology.command_queue("api-1")),
        ("notifier", topology.command_queue("api-1")),
        ("notifier", "api.users"),
        ("presence", "notifier.events"),
        ("gateway", "notifier.events"),
        ("auth", "notifier.events"),
        ("api", "notifier.events.dead-letters"),
    ],
)
async def test_rabbitmq__queues_of_others__are_not_read(accounts: Accounts, service: str, queue: str) -> None:
    async with _bus(accounts, "api"), _bus(accounts, "notifier"):
        connection = await aio_pika.connect(accounts[service].rabbitmq_url)
        async with connection, connection.channel() as channel:
            with pytest.raises(MAY_NOT):
                await (await channel.get_queue(queue, ensure=False)).get(fail=False)


LIMITS = {
    "auth": "login_address",
    "api": "api_read",
    "gateway": "signal",
    "presence": "presence_set",
    "notifier": "devices",
}


@SERVICES
async def test_redis__limits_of_a_service__count_and_those_of_others_do_not_exist(
    accounts: Accounts, redis_url: str, service: str
) -> None:
    pipeline = RedisPipeline(SecretStr(accounts[service].redis_url))
    limiter = Limiter(pipeline)
    allowed = [name for name in LIMITS.values() if await _counts(limiter, name)]
    await pipeline.close()

    assert allowed == [LIMITS[service]]


async def _counts(limiter: Limiter, name: str) -> bool:
    """Return whether a bucket refuses a second token: one that cannot be asked lets everything through."""
    limit = Limit(name, 0.001, 1)
    return sum([(await limiter.ask([(limit, "subject")]))[0] for _ in range(2)]) > 0


@SERVICES
async def test_redis__channels__are_those_of_the_service(accounts: Accounts, service: str) -> None:
    access = ACCESS[service]
    async with redis.asyncio.from_url(accounts[service].redis_url, protocol=3) as client:
        for command, kinds in (
            ("PUBLISH", access.publishes_on),
            ("SPUBLISH", access.publishes_on),
            ("SUBSCRIBE", access.subscribes_to),
            ("SSUBSCRIBE", access.subscribes_to),
        ):
            allowed = [kind for kind in ChannelKind if await _is_allowed(client, command, f"{kind.value}:1")]
            assert set(allowed) == set(kinds), command


async def _is_allowed(client: Any, command: str, channel: str) -> bool:
    publishes = command.endswith("PUBLISH")
    if not publishes:  # in a connection of its own, which belongs to the subscriptions from then on
        async with client.pubsub() as subscription:
            try:
                await subscription.execute_command(command, channel)
                return await asyncio.wait_for(subscription.get_message(timeout=5), 6) is not None
            except NoPermissionError:
                return False
    try:
        await client.execute_command(command, channel, "x")
    except NoPermissionError:
        return False
    return True


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("notifier", "ZADD delivered:s 1 c"),
        ("notifier", "GET auth:known:a:b"),
        ("gateway", "ZSCORE presence:{1}:due u"),
        ("api", "DEL limit:login_address:a"),
        ("presence", "ZADD delivered:s 1 c"),
        ("auth", "SCAN 0"),
        ("auth", "FLUSHALL"),
        ("api", "CONFIG GET requirepass"),
        ("gateway", "CLIENT LIST"),
        ("gateway", "PSUBSCRIBE *"),
        ("presence", "ACL LIST"),
    ],
)
async def test_redis__keys_of_others_and_the_server__are_refused(
    accounts: Accounts, service: str, command: str
) -> None:
    async with redis.asyncio.from_url(accounts[service].redis_url) as client:
        with pytest.raises(NoPermissionError):
            await client.execute_command(*command.split())  # type: ignore[no-untyped-call]
