"""Sending: `POST …/messages` and the command are two entry points of one action."""

import asyncio
import secrets
from dataclasses import replace

import orjson
from synctalk_contracts.commands import CommandBatch, SendMessage
from synctalk_contracts.models import Message
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import GATEWAY, Api, Start, User


def command(user: User, conversation_id: str, body: str = "hi", **fields: str) -> SendMessage:
    name = fields.pop("client_message_id", secrets.token_hex(8))
    return SendMessage(conversation_id=conversation_id, user_id=user.id, client_message_id=name, body=body, **fields)


async def test_send__without_a_token__is_refused(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    path = f"/v1/conversations/{conversation['id']}/messages"

    response = await ada.call("POST", path, {"client_message_id": "a", "body": "x"}, headers={"authorization": ""})

    assert (response.status, response.code) == (401, "unauthenticated")


async def test_send__by_an_unrelated_user__finds_nothing(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    conversation = await ada.direct(ben)

    over_rest = await eve.call(
        "POST", f"/v1/conversations/{conversation['id']}/messages", {"client_message_id": "a", "body": "x"}
    )
    by_command = await api.command(command(eve, conversation["id"]))

    assert (over_rest.status, over_rest.code) == (404, "not_found")
    assert by_command["result"] is None
    assert by_command["error"]["code"] == "not_found"


async def test_send__to_no_conversation__answers_as_to_an_unrelated_user(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    conversation = await ada.direct(ben)
    body = {"client_message_id": "a", "body": "x"}

    unknown = await eve.call("POST", f"/v1/conversations/{ada.id}/messages", body)
    known = await eve.call("POST", f"/v1/conversations/{conversation['id']}/messages", body)

    assert (unknown.status, unknown.body) == (known.status, known.body)


async def test_send__by_one_who_left__finds_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await ben.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")

    reply = await api.command(command(ben, group["id"]))

    assert reply["error"]["code"] == "not_found"


async def test_send__over_rest__is_the_message_of_the_interface(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)

    message = await ada.send(conversation["id"], "hello ☕", client_message_id="first")

    assert Message.model_validate_json(orjson.dumps(message)).body == "hello ☕"
    assert message["seq"] == 1
    assert message["change_seq"] == conversation["change_seq"] + 1
    assert await ben.get(f"/v1/conversations/{conversation['id']}/messages/{message['id']}") == message


async def test_send__by_command__replies_and_is_published_to_the_room(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await api.subscribe(conversation["id"])

    reply = await api.command(command(ada, conversation["id"]), "socket-7")

    message = reply["result"]["message"]
    assert await ben.get(f"/v1/conversations/{conversation['id']}/messages/{message['id']}") == message
    await eventually(lambda: api.redis.room_events(conversation["id"]))
    (event,) = api.redis.room_events(conversation["id"])
    assert (event.event, event.origin, event.user_id) == ("message:new", "socket-7", ada.id)
    assert (event.payload, event.change_seq) == (message, message["change_seq"])


async def test_send__the_same_again__is_the_same_message(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    path = f"/v1/conversations/{conversation['id']}/messages"
    body = {"client_message_id": "once", "body": "hello"}
    first = await ada.call("POST", path, body)
    await ada.patch(f"{path}/{first.body['id']}", {"body": "edited since"})

    again = await ada.call("POST", path, body)
    by_command = await api.command(command(ada, conversation["id"], "hello", client_message_id="once"))

    assert (first.status, again.status) == (201, 200)
    assert again.body["id"] == first.body["id"]
    assert again.body["body"] == "edited since"
    assert by_command["result"]["message"] == again.body
    assert (await ada.get(f"/v1/conversations/{conversation['id']}"))["last_seq"] == 1


async def test_send__same_name_other_content__is_refused(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await ada.send(conversation["id"], "one", client_message_id="name")

    response = await ada.call(
        "POST",
        f"/v1/conversations/{conversation['id']}/messages",
        {"client_message_id": "name", "body": "other"},
    )

    assert (response.status, response.code) == (409, "client_message_id_reused")


async def test_send__same_name_by_another_or_elsewhere__is_another_message(api: Api) -> None:
    ada, ben = await api.users(2)
    direct, group = await ada.direct(ben), await ada.group(ben)

    sent = [
        await ada.send(direct["id"], client_message_id="name"),
        await ben.send(direct["id"], client_message_id="name"),
        await ada.send(group["id"], client_message_id="name"),
    ]

    assert len({message["id"] for message in sent}) == 3


async def test_send__the_same_in_parallel__is_one_message(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)

    commands = [command(ada, conversation["id"], "hi", client_message_id="same") for _ in range(10)]
    sending = [ada.send(conversation["id"], "hi", client_message_id="same") for _ in range(10)]
    by_command, over_rest = api.commands(commands), asyncio.gather(*sending)
    replies, sent = await asyncio.gather(by_command, over_rest)

    ids = {message["id"] for message in sent} | {reply["result"]["message"]["id"] for reply in replies}
    assert len(ids) == 1
    assert (await ada.get(f"/v1/conversations/{conversation['id']}"))["last_seq"] == 1


async def test_send__many_at_once_into_one_conversation__numbers_have_no_gap(api: Api, start_api: Start) -> None:
    users = await api.users(20)
    group = await users[0].group(*users[1:])
    await api.subscribe(group["id"])

    async with start_api(api) as other:
        others = [replace(user, service=other.service) for user in users[:5]]
        await asyncio.gather(
            *(user.send(group["id"], f"{n}") for user in users for n in range(5)),
            *(user.send(group["id"], f"{n}") for user in others for n in range(5)),
            api.commands([command(user, group["id"]) for user in users for _ in range(5)]),
        )

    messages = await users[3].list(f"/v1/conversations/{group['id']}/messages", 100)
    assert sorted(m["seq"] for m in messages) == list(range(1, 226))
    assert sorted(m["change_seq"] for m in messages) == list(range(2, 227))
    ordered = sorted(messages, key=lambda m: m["seq"])
    assert [m["change_seq"] for m in ordered] == sorted(m["change_seq"] for m in ordered)
    await eventually(lambda: len(api.redis.room_events(group["id"])) == 225)
    published = [event.change_seq for event in api.redis.room_events(group["id"])]
    assert sorted(published, key=lambda n: n or 0) == list(range(2, 227))


async def test_send__batch_with_bad_ones__only_they_fail(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    conversation, elsewhere = await ada.direct(ben), await ada.direct(eve)
    foreign = await ada.send(elsewhere["id"])
    group = await ada.group(ben)
    await ada.send(conversation["id"], "taken", client_message_id="taken")

    replies = await api.commands(
        [
            command(ada, conversation["id"], "good"),
            command(eve, conversation["id"], "unrelated"),
            command(ben, conversation["id"], "foreign reply", reply_to=foreign["id"]),
            command(ada, conversation["id"], "reused", client_message_id="taken"),
            command(ada, conversation["id"], "nul \0"),
            command(ben, conversation["id"], "good too"),
            command(ben, group["id"], "and elsewhere"),
        ]
    )

    outcomes = [reply["error"]["code"] if reply["error"] else "ok" for reply in replies]
    assert outcomes == ["ok", "not_found", "invalid", "client_message_id_reused", "invalid", "ok", "ok"]
    numbers = [reply["result"]["message"]["seq"] for reply in replies if reply["result"]]
    assert numbers == [2, 3, 1]


async def test_send__an_unreadable_command__takes_no_other_with_it(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    good = {"id": 77_000_001, "connection_id": "s", "command": command(ada, conversation["id"]).model_dump()}
    bad = {"id": 77_000_002, "connection_id": "s", "command": {"type": "message.send.v1"}}

    await api.send_raw(b"not json")
    await api.send_raw(orjson.dumps({"reply_to": GATEWAY, "requests": [bad, good]}))

    await eventually(lambda: 77_000_001 in api.redis.replies())


async def test_send__command_with_a_field_of_tomorrow__is_read(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    later = command(ada, conversation["id"]).model_dump() | {"later": 1}
    body = {"reply_to": GATEWAY, "requests": [{"id": 78_000_001, "connection_id": "s", "command": later}]}
    assert CommandBatch.from_bytes(orjson.dumps(body))

    await api.send_raw(orjson.dumps(body))

    await eventually(lambda: 78_000_001 in api.redis.replies())


async def test_send__a_reply__names_a_message_of_the_conversation(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    first = await ada.send(conversation["id"])
    await ada.delete(f"/v1/conversations/{conversation['id']}/messages/{first['id']}")

    reply = await ben.send(conversation["id"], "to the deleted one", reply_to=first["id"])

    assert reply["reply_to"] == first["id"]


async def test_send__mentions__are_members_by_username(api: Api) -> None:
    ada, eve = await api.user(), await api.user()
    ben = await api.user("Ben", username="ben.b")
    group = await ada.group(ben)

    message = await ada.send(group["id"], f"@{eve.profile.username} @BEN.B. hi @ben.b, a@ben.b, @nobody and @ben.b_-")

    assert message["mentions"] == [ben.id]


async def test_send__raises_the_senders_own_watermarks(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    await ben.send(conversation["id"])
    await ben.send(conversation["id"])

    await ada.send(conversation["id"])

    mine = await ada.get(f"/v1/conversations/{conversation['id']}")
    assert (mine["read_seq"], mine["unread_count"]) == (3, 0)
    theirs = await ben.get(f"/v1/conversations/{conversation['id']}")
    assert (theirs["read_seq"], theirs["unread_count"]) == (2, 1)


async def test_send__too_many__is_limited_over_rest_and_commands_by_one_bucket(start_api: Start) -> None:
    async with start_api(message_burst=3, message_rate_per_s=0.01) as api:
        ada, ben = await api.users(2)
        conversation = await ada.direct(ben)
        for _ in range(3):
            await ada.send(conversation["id"])

        response = await ada.call(
            "POST", f"/v1/conversations/{conversation['id']}/messages", {"client_message_id": "a", "body": "x"}
        )

        assert (response.status, response.code) == (429, "rate_limited")
        assert response.body["error"]["retry_after"] > 1
        assert int(response.headers["Retry-After"]) >= 1
        await ben.send(conversation["id"])
