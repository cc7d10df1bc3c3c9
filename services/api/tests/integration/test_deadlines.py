"""A command whose deadline has passed writes nothing: its client has got `unavailable` and may have moved on."""

import asyncio
from datetime import datetime, timedelta

import orjson
from synctalk_api.actions.changes import change
from synctalk_api.actions.commands import Command
from synctalk_api.actions.messages import send
from synctalk_contracts.commands import (
    AddReaction,
    AnyCommand,
    CommandBatch,
    CommandRequest,
    DeleteMessage,
    EditMessage,
    MarkRead,
    RemoveReaction,
    SendMessage,
)
from synctalk_contracts.ids import format_time
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json


def past() -> datetime:
    return utc_now() - timedelta(milliseconds=1)


def future() -> datetime:
    return utc_now() + timedelta(minutes=1)


def code(reply: Json) -> str | None:
    return None if reply["error"] is None else str(reply["error"]["code"])


async def test_commands__after_their_deadline__are_unavailable_and_write_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"], "as it was")
    path = f"/v1/conversations/{conversation['id']}/messages/{message['id']}"
    await ada.put(f"{path}/reactions/%F0%9F%91%8D")
    message = await ada.get(path)
    place = {"conversation_id": conversation["id"], "user_id": ada.id}
    that = {**place, "message_id": message["id"]}
    late: list[AnyCommand] = [
        SendMessage(client_message_id="late", body="late", **place),
        EditMessage(body="late", **that),
        AddReaction(emoji="🎉", **that),
        RemoveReaction(emoji="👍", **that),
        DeleteMessage(**that),
    ]

    replies = await api.commands(late, deadline=past())
    stores = api.services.stores
    sent = await send(
        stores.main.postgres, [Command(late[0], deadline=past())], stores=stores, live=api.services.history.live
    )
    changes = [Command(payload, deadline=past()) for payload in late[1:]]
    changed = await change(api.services.stores.main.postgres, changes, kinds_max=50, live=api.services.history.live)

    assert [code(reply) for reply in replies] == ["unavailable"] * 5
    assert {type(outcome) for outcome in (*sent.outcomes, *changed.outcomes)} == {UnavailableError}
    assert (await ada.get(f"/v1/conversations/{conversation['id']}/messages"))["items"] == [message]


async def test_commands__before_their_deadline__are_done(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    command = SendMessage(conversation_id=conversation["id"], user_id=ada.id, client_message_id="a", body="in time")

    (reply,) = await api.commands([command], deadline=future())

    assert reply["result"]["message"]["body"] == "in time"


async def test_receipts__after_their_deadline__raise_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"])

    (reply,) = await api.commands(
        [MarkRead(conversation_id=conversation["id"], user_id=ben.id, seq=1)], deadline=past()
    )

    assert code(reply) == "unavailable"
    assert (await ben.get(f"/v1/conversations/{conversation['id']}"))["read_seq"] == 0


async def test_edit__that_waited_for_the_row_past_its_deadline__does_not_overwrite_a_later_one(api: Api) -> None:
    """The deadline counts when the row is locked, not when the command arrives."""
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"], "first")
    place = {"conversation_id": conversation["id"], "message_id": message["id"], "user_id": ada.id}
    deadline = utc_now() + timedelta(seconds=0.5)
    async with api.services.stores.main.postgres.transaction() as conn:
        await conn.execute("select from conversations where id = $1 for update", conversation["id"])
        late = asyncio.create_task(api.commands([EditMessage(body="A", **place)], deadline=deadline))
        await eventually(lambda: waits_for_a_lock(api))
        await eventually(lambda: utc_now() > deadline)
    (reply,) = await late

    (other,) = await api.commands([EditMessage(body="B", **place)], deadline=future())

    assert code(reply) == "unavailable"
    assert (other["result"]["message"]["body"], other["result"]["message"]["change_seq"]) == ("B", 3)


async def waits_for_a_lock(api: Api) -> bool:
    return bool(
        await api.sql("select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
    )


async def test_late_batch__with_one_unreadable_command__is_late_all_the_same(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    command = SendMessage(conversation_id=conversation["id"], user_id=ada.id, client_message_id="a", body="late")
    requests = [CommandRequest(id=n, connection_id="s", command=command) for n in (71, 72)]
    batch = orjson.loads(CommandBatch(reply_to="gateway-1", requests=requests).to_bytes())
    batch["requests"][0]["command"]["type"] = "message.unknown.v1"
    batch["deadline"] = format_time(past())

    await api.send_raw(orjson.dumps(batch))

    await eventually(lambda: 72 in api.redis.replies())
    assert code(api.redis.replies()[72]) == "unavailable"
