"""What is published on Redis goes out, however Redis or a process fails between the commit and the publish."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
from prometheus_client import REGISTRY
from pydantic import SecretStr
from synctalk_api.actions.changes import change
from synctalk_api.actions.commands import Command, CommandResult
from synctalk_api.actions.messages import send
from synctalk_api.clients.fanout import PIPELINE_USERS, Broadcast, Fanout
from synctalk_contracts import topology
from synctalk_contracts.commands import (
    AnyCommand,
    CommandBatch,
    CommandRequest,
    DeleteMessage,
    EditMessage,
    SendMessage,
)
from synctalk_contracts.models import Conversation
from synctalk_contracts.sockets import MessageNewToClient
from synctalk_runtime.ids import new_id
from synctalk_runtime.redis_pipeline import RedisPipeline
from synctalk_testkit.eventually import eventually
from synctalk_testkit.relay import relay_to

from services.api.tests.integration.conftest import Api, Json, Subscriber, User, subscriber


async def sent_by_socket(api: Api, ada: User, conversation: Json) -> None:
    command = SendMessage(conversation_id=conversation["id"], user_id=ada.id, client_message_id="c1", body="hello")
    request = CommandRequest(id=1, connection_id="socket-1", command=command)
    await api.send_batch(CommandBatch(reply_to="gateway-2", requests=[request]))


async def test_redis__paused_while_a_message_is_sent__the_message_is_published_without_another_one(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await api.subscribe(conversation["id"])
    client = redis.asyncio.from_url(api.settings.redis_url.get_secret_value())
    await client.execute_command("CLIENT", "PAUSE", "1400", "ALL")  # type: ignore[no-untyped-call]

    await sent_by_socket(api, ada, conversation)

    await client.aclose()
    await eventually(lambda: api.redis.room_events(conversation["id"]))
    assert {event.payload["body"] for event in api.redis.room_events(conversation["id"])} == {"hello"}


async def test_send__committed_but_never_published__is_published_when_it_is_repeated(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await api.subscribe(conversation["id"])
    command = SendMessage(conversation_id=conversation["id"], user_id=ada.id, client_message_id="lost", body="hello")
    await send(
        api.services.stores.main.postgres,
        [Command(command)],
        stores=api.services.stores,
        live=api.services.history.live,
    )

    reply = await api.command(command, "socket-2")

    await eventually(lambda: api.redis.room_events(conversation["id"]))
    (event,) = api.redis.room_events(conversation["id"])
    assert (event.event, event.change_seq, event.origin) == ("message:new", 2, "socket-2")
    assert event.payload == reply["result"]["message"]


async def test_change__committed_but_never_published__is_published_when_it_is_repeated(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"], "before")
    place = {"conversation_id": conversation["id"], "message_id": message["id"], "user_id": ada.id}
    await api.subscribe(conversation["id"])
    commands: list[AnyCommand] = [EditMessage(body="after", **place), DeleteMessage(**place)]
    for n, command in enumerate(commands):
        await change(
            api.services.stores.main.postgres, [Command(command)], kinds_max=50, live=api.services.history.live
        )

        await api.command(command)

        await eventually(lambda n=n: len(api.redis.room_events(conversation["id"])) == n + 1)  # type: ignore[misc]
    events = api.redis.room_events(conversation["id"])
    assert [(event.event, event.change_seq) for event in events] == [("message:updated", 3), ("message:deleted", 4)]


async def test_new_member__whose_adding_was_never_published__is_published_when_it_is_repeated(api: Api) -> None:
    ada, ben = await api.users(2)
    direct, group = await ada.direct(ben), await ada.group(ben)
    await api.redis.subscribe(topology.user_channel(ben.id))

    await ada.direct(ben)
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})

    await eventually(lambda: len(api.redis.user_events(ben.id)) == 2)
    assert [event.conversation.id for event in api.redis.user_events(ben.id)] == [direct["id"], group["id"]]


def room_event(n: int, payload: Json | None = None) -> Broadcast:
    broadcast = Broadcast()
    broadcast.to_room(ROOM, MessageNewToClient, new_id(), payload or {}, change_seq=n)
    return broadcast


ROOM = new_id()


@asynccontextmanager
async def publisher(redis_url: str, max_messages: int = 1_000, max_bytes: int = 10**7) -> AsyncIterator[Fanout]:
    """Return a separate fan-out that is not started yet."""
    redis_pipeline = RedisPipeline(SecretStr(redis_url), timeout_s=0.3)
    fanout = Fanout(redis_pipeline, max_messages, max_bytes, 1.0)
    yield fanout
    await fanout.stop()
    await redis_pipeline.close()


def retried() -> float:
    return REGISTRY.get_sample_value("api_fanout_retried_total") or 0


async def numbers(received: Subscriber) -> list[int | None]:
    return [event.change_seq for event in received.room_events(ROOM)]


async def test_fanout__redis_away__keeps_what_is_published_in_order(redis_url: str) -> None:
    async with subscriber(redis_url) as received, relay_to(redis_url) as relay, publisher(relay.url) as fanout:
        await received.subscribe(topology.conversation_channel(ROOM))
        await fanout.start()
        relay.cut()
        for n in range(1, 4):
            fanout.publish(room_event(n))
        waiting = asyncio.create_task(fanout.publish_and_wait(room_event(4)))
        before = retried()
        await eventually(lambda: retried() > before)
        relay.mend()

        await waiting
        await eventually(lambda: len(received.room_events(ROOM)) >= 4)
        assert list(dict.fromkeys(await numbers(received))) == [1, 2, 3, 4]


async def test_fanout__more_than_may_wait__drops_the_oldest(redis_url: str) -> None:
    async with subscriber(redis_url) as received, publisher(redis_url, max_messages=3) as fanout:
        await received.subscribe(topology.conversation_channel(ROOM))
        for n in range(1, 6):
            fanout.publish(room_event(n))
        await fanout.start()

        await eventually(lambda: len(received.room_events(ROOM)) == 3)
        assert await numbers(received) == [3, 4, 5]


async def test_fanout__larger_than_may_wait__drops_the_oldest(redis_url: str) -> None:
    async with subscriber(redis_url) as received, publisher(redis_url, max_bytes=2_500) as fanout:
        await received.subscribe(topology.conversation_channel(ROOM))
        for n in range(1, 6):
            fanout.publish(room_event(n, {"body": "x" * 1_000}))
        await fanout.start()

        await eventually(lambda: len(received.room_events(ROOM)) == 2)
        assert await numbers(received) == [4, 5]


async def test_fanout__of_a_thousand_new_members__holds_no_room_up(api: Api, redis_url: str) -> None:
    ada = await api.user()
    group = Conversation.model_validate(await ada.group())
    channel = topology.user_channel(ada.id)
    async with subscriber(redis_url) as received, publisher(redis_url, max_messages=2_000) as fanout:
        await received.subscribe(channel, topology.conversation_channel(ROOM))
        added = Broadcast()
        for _ in range(1_000):
            added.to_user(ada.id, group)
        fanout.publish(added)
        fanout.publish(room_event(1))
        await fanout.start()

        await eventually(lambda: len(received.received) == 1_001)
        place = [name for name, _ in received.received].index(topology.conversation_channel(ROOM))
        assert place <= PIPELINE_USERS


async def test_command__repeated_in_the_batch_that_does_it__is_published_once(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"], "before")
    place = {"conversation_id": conversation["id"], "message_id": message["id"], "user_id": ada.id}
    edit = EditMessage(body="after", **place)

    result = await change(
        api.services.stores.main.postgres, [Command(edit), Command(edit)], kinds_max=50, live=api.services.history.live
    )

    assert [outcome.changed for outcome in result.outcomes if isinstance(outcome, CommandResult)] == [True, False]
    ((_, data),) = result.broadcast.replies_and_rooms()
    assert data.count(b"message:updated") == 1
