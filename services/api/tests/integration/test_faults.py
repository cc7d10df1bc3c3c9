"""Backends that break while api runs: nothing acked is lost or doubled, nothing hangs, and api recovers by itself."""

import asyncio
import secrets

from synctalk_api.main import build
from synctalk_api.settings import Settings
from synctalk_contracts import topology
from synctalk_contracts.commands import SendMessage
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.messages import MessageCreated
from synctalk_runtime.bus import Bus
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import Fresh, FreshDatabase
from synctalk_testkit.relay import Relay, relay_to
from synctalk_testkit.service import SECRET, is_connected, serve, service_client
from synctalk_testkit.tokens import TokenMaker

from services.api.tests.integration.conftest import Api, Json, Start, User


async def send_until_acked(user: User, conversation_id: str, body: str) -> Json:
    """Send as a client does: the same `client_message_id` until the response is not "try again"."""
    fields = {"client_message_id": secrets.token_hex(8), "body": body}
    while True:
        response = await user.call("POST", f"/v1/conversations/{conversation_id}/messages", fields)
        if response.status in (200, 201):
            message: Json = response.body
            return message
        assert response.code == "unavailable", response
        await asyncio.sleep(0.05)


async def test_start__with_every_backend_away__is_alive_and_not_ready(token_maker: TokenMaker) -> None:
    settings = Settings.model_validate(
        {
            "internal_secret": SECRET,
            "database_url": "postgresql://nobody@127.0.0.1:1/none",
            "redis_url": "redis://127.0.0.1:1",
            "rabbitmq_url": "amqp://127.0.0.1:1/",
            "auth_url": "http://127.0.0.1:1",
        }
    )
    async with serve(build(settings)) as url, service_client(url) as service:
        alive = await service.call("GET", "/healthz")
        ready = await service.call("GET", "/readyz")
        asked = await service.call("GET", "/v1/users/me", token=token_maker.mint())

    assert alive.status == 200
    assert ready.status == 503
    assert "ok" not in ready.body["checks"].values()
    assert (asked.status, asked.code) == (503, "unavailable")


async def test_redis__away__sends_are_acked_and_published_when_it_is_back(start_api: Start, redis_url: str) -> None:
    async with relay_to(redis_url) as relay, start_api(redis_url=relay.url) as api:
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        await api.subscribe(conversation["id"])
        await api.redis.subscribe(topology.user_channel(ben.id))
        sent, groups = [], []
        for trouble in (relay.cut, relay.freeze):
            trouble()
            sent.append(await ada.send(conversation["id"], "while Redis is away"))
            groups.append(await ada.group(ben))
            relay.mend()

            await eventually(lambda: published(api, conversation["id"]) == sent)
            await eventually(lambda: new_for(api, ben) == [group["id"] for group in groups])


def new_for(api: Api, user: User) -> list[str]:
    """Return the conversations that were published to a user, repeats counted once."""
    return list(dict.fromkeys(event.conversation.id for event in api.redis.user_events(user.id)))


def published(api: Api, conversation_id: str) -> list[Json]:
    """Return the messages that were published, repeats once."""
    return list({event.change_seq: event.payload for event in api.redis.room_events(conversation_id)}.values())


async def test_database__cut_again_and_again__no_acked_message_is_lost_or_doubled(
    start_api: Start, fresh_database: FreshDatabase
) -> None:
    async with relay_to(await fresh_database("api")) as relay, start_api(database_url=relay.url) as api:
        users = await api.users(6)
        group = await users[0].group(*users[1:])
        cutting = asyncio.create_task(cut_again_and_again(relay))
        try:
            acked = await asyncio.gather(*(talk(user, group["id"], 8) for user in users))
        finally:
            cutting.cancel()
            await asyncio.gather(cutting, return_exceptions=True)
            relay.mend()
        await eventually(api.service.is_ready)

        stored = await users[0].list(f"/v1/conversations/{group['id']}/messages", 100)

        assert sorted(m["seq"] for m in stored) == list(range(1, 49))
        assert {m["id"] for m in stored} == {m["id"] for messages in acked for m in messages}


async def talk(user: User, conversation_id: str, count: int) -> list[Json]:
    return [await send_until_acked(user, conversation_id, f"{n}") for n in range(count)]


async def cut_again_and_again(relay: Relay) -> None:
    while True:
        await asyncio.sleep(0.4)
        relay.cut()
        await asyncio.sleep(0.02)
        relay.mend()


async def test_database__frozen__is_unavailable_in_time_and_recovers(
    start_api: Start, fresh_database: FreshDatabase
) -> None:
    limits = {"database_command_timeout_s": 0.5, "database_acquire_timeout_s": 0.5}
    async with relay_to(await fresh_database("api")) as relay, start_api(database_url=relay.url, **limits) as api:
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        command = SendMessage(
            conversation_id=conversation["id"], user_id=ada.id, client_message_id="while-frozen", body="hello"
        )
        relay.freeze()

        refused = await ada.call("GET", f"/v1/conversations/{conversation['id']}")
        reply = await api.command(command)
        ready = await api.service.call("GET", "/readyz")
        relay.mend()
        await eventually(api.service.is_ready)

        assert (refused.status, refused.code, ready.status) == (503, "unavailable", 503)
        assert reply["error"]["code"] == "unavailable"
        again = await api.command(command)
        assert again["result"]["message"]["seq"] == 1


async def test_rabbitmq__cut__events_follow_when_it_is_back(start_api: Start, fresh_vhost: Fresh) -> None:
    vhost = await fresh_vhost()
    async with relay_to(vhost) as relay, start_api(rabbitmq_url=relay.url) as api:
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        received: list[str] = []
        bus = await listening(api, received)
        relay.cut()
        sent = [await ada.send(conversation["id"], f"{n}") for n in range(3)]
        assert not await api.service.is_ready()
        ready = await api.service.call("GET", "/readyz")
        assert (ready.status, ready.body["degraded"]) == (200, ["rabbitmq"])

        relay.mend()

        await eventually(lambda: set(received) == {message["id"] for message in sent}, 20)
        await eventually(api.service.is_ready)
        await bus.stop()


async def listening(api: Api, received: list[str]) -> Bus:
    async def note(events: list[Event]) -> None:
        received.extend(event.message.id for event in events if isinstance(event, MessageCreated))

    bus = Bus(api.settings.rabbitmq_url, "listener")
    bus.subscribe(topology.DurableQueue("listener.faults", (MessageCreated.type_name(),)), note)
    await bus.start()
    await eventually(lambda: is_connected(bus))
    return bus
