"""Parts that break while api runs: nothing acked is lost or doubled, nothing hangs, and it recovers by itself."""

import asyncio
import secrets

import aiohttp
from synctalk_api.main import build
from synctalk_api.settings import Settings
from synctalk_contracts.commands import SendMessage
from synctalk_contracts.envelope import Event
from synctalk_contracts.events.messages import MessageCreated
from synctalk_runtime.bus import Bus
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import Fresh, FreshDatabase
from synctalk_testkit.relay import Relay, relay_to
from synctalk_testkit.tokens import TokenMaker

from services.api.tests.integration.conftest import SECRET, Api, Json, Person, Start, answers, call, connected, served


async def send_until_acked(person: Person, conversation_id: str, body: str) -> Json:
    """As a client: the same `client_message_id` until there is an answer that is not "try again"."""
    fields = {"client_message_id": secrets.token_hex(8), "body": body}
    while True:
        answer = await person.call("POST", f"/v1/conversations/{conversation_id}/messages", fields)
        if answer.status in (200, 201):
            message: Json = answer.body
            return message
        assert answer.code == "unavailable", answer
        await asyncio.sleep(0.05)


async def test_start__with_every_part_away__is_alive_and_not_ready(token_maker: TokenMaker) -> None:
    settings = Settings.model_validate(
        {
            "internal_secret": SECRET,
            "database_url": "postgresql://nobody@127.0.0.1:1/none",
            "redis_url": "redis://127.0.0.1:1",
            "rabbitmq_url": "amqp://127.0.0.1:1/",
            "auth_url": "http://127.0.0.1:1",
        }
    )
    async with served(build(settings)) as url, aiohttp.ClientSession() as http:
        alive = await call(http, "GET", f"{url}/healthz")
        ready = await call(http, "GET", f"{url}/readyz")
        asked = await call(http, "GET", f"{url}/v1/users/me", headers={"authorization": f"Bearer {token_maker.mint()}"})

    assert alive.status == 200
    assert ready.status == 503
    assert "ok" not in ready.body["checks"].values()
    assert (asked.status, asked.code) == (503, "unavailable")


async def test_redis__away__sends_are_acked_and_told_again_after(start_api: Start, redis_url: str) -> None:
    async with relay_to(redis_url) as relay, start_api(redis_url=relay.url) as api:
        ada, ben = await api.people(2)
        conversation = await ada.direct(ben)
        await api.hear(conversation["id"])
        for trouble in (relay.cut, relay.freeze):
            trouble()
            await ada.send(conversation["id"], "while Redis is away")
            await ada.group(ben)
            relay.mend()
            await eventually(lambda: answers(api.http, api.url))

        heard = len(api.ear.room(conversation["id"]))
        message = await ada.send(conversation["id"], "after")

        assert message["seq"] == 3
        await eventually(lambda: len(api.ear.room(conversation["id"])) > heard)
        assert api.ear.room(conversation["id"])[-1].payload == message


async def test_database__cut_again_and_again__no_acked_message_is_lost_or_doubled(
    start_api: Start, fresh_database: FreshDatabase
) -> None:
    async with relay_to(await fresh_database("api")) as relay, start_api(database_url=relay.url) as api:
        people = await api.people(6)
        group = await people[0].group(*people[1:])
        cutting = asyncio.create_task(cut_again_and_again(relay))
        try:
            acked = await asyncio.gather(*(talk(person, group["id"], 8) for person in people))
        finally:
            cutting.cancel()
            await asyncio.gather(cutting, return_exceptions=True)
            relay.mend()
        await eventually(lambda: answers(api.http, api.url))

        stored = await people[0].walk(f"/v1/conversations/{group['id']}/messages", 100)

        assert sorted(m["seq"] for m in stored) == list(range(1, 49))
        assert {m["id"] for m in stored} == {m["id"] for messages in acked for m in messages}


async def talk(person: Person, conversation_id: str, count: int) -> list[Json]:
    return [await send_until_acked(person, conversation_id, f"{n}") for n in range(count)]


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
        ada, ben = await api.people(2)
        conversation = await ada.direct(ben)
        command = SendMessage(
            conversation_id=conversation["id"], user_id=ada.id, client_message_id="while-frozen", body="hello"
        )
        relay.freeze()

        refused = await ada.call("GET", f"/v1/conversations/{conversation['id']}")
        reply = await api.command(command)
        not_ready = await answers(api.http, api.url, 503)
        relay.mend()
        await eventually(lambda: answers(api.http, api.url))

        assert (refused.status, refused.code, not_ready) == (503, "unavailable", True)
        assert reply["error"]["code"] == "unavailable"
        again = await api.command(command)
        assert again["result"]["message"]["seq"] == 1


async def test_rabbitmq__cut__events_follow_when_it_is_back(start_api: Start, fresh_vhost: Fresh) -> None:
    vhost = await fresh_vhost()
    async with relay_to(vhost) as relay, start_api(rabbitmq_url=relay.url) as api:
        ada, ben = await api.people(2)
        conversation = await ada.direct(ben)
        heard: list[str] = []
        bus = await listening(api, heard)
        relay.cut()
        sent = [await ada.send(conversation["id"], f"{n}") for n in range(3)]
        assert not await answers(api.http, api.url)

        relay.mend()

        await eventually(lambda: set(heard) == {message["id"] for message in sent}, 20)
        await eventually(lambda: answers(api.http, api.url))
        await bus.stop()


async def listening(api: Api, heard: list[str]) -> Bus:
    async def note(events: list[Event]) -> None:
        heard.extend(event.message.id for event in events if isinstance(event, MessageCreated))

    bus = Bus(api.settings.rabbitmq_url, "listener")
    bus.subscribe("listener.faults", [MessageCreated], note)
    await bus.start()
    await eventually(lambda: connected(bus))
    return bus
