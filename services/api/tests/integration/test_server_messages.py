"""Messages that a host app sends with a server key: as a member, as the conversation, or for whoever is there."""

import asyncio
import secrets
from typing import Any
from urllib.parse import quote

from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.models import User as Profile
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Api, Json, Start, User
from services.api.tests.integration.test_server_conversations import PATH, Host, fields, new_name

CUSTOM = {"system": {"type": "custom"}}


def new(sender: User | str | None, body: str = "hello", **fields: Any) -> Json:
    message: Json = {"client_message_id": secrets.token_hex(8), "body": body, **fields}
    if sender is not None:
        message["sender"] = sender if isinstance(sender, str) else sender.id
    return message


async def send(host: Host, conversation_id: str, body: Json) -> Response:
    return await host.call("POST", f"{PATH}{conversation_id}/messages", body)


async def history(user: User, conversation_id: str) -> list[Json]:
    found: list[Json] = (await user.get(f"/v1/conversations/{conversation_id}/messages?limit=100"))["items"]
    return found


async def test_message__of_a_member__is_as_if_they_had_sent_it(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])
    body = new(ada, f"hello @{ben.profile.username}", metadata={"k": 1})

    sent = await send(host, group["id"], body)
    again = await send(host, group["id"], body)
    other = await send(host, group["id"], {**body, "body": "another"})

    assert (sent.status, again.status, again.body) == (201, 200, sent.body)
    assert (other.status, other.body["error"]["code"]) == (409, "client_message_id_reused")
    assert await history(ben, group["id"]) == [sent.body]
    assert (sent.body["sender_id"], sent.body["mentions"], sent.body["metadata"]) == (ada.id, [ben.id], {"k": 1})
    assert (await ben.get(f"/v1/conversations/{group['id']}"))["unread_count"] == 1
    assert (await ada.get(f"/v1/conversations/{group['id']}"))["unread_count"] == 0
    assert {event.event for event in api.redis.room_events(group["id"])} == {"message:new"}


async def test_message__by_external_names__of_conversation_and_sender(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name, called = new_name(), host.call_by_name(ben)
    made = await host.made(name, ada, ben)

    sent = await send(host, "external:" + quote(name, safe=""), new(called))

    assert (sent.status, sent.body["conversation_id"], sent.body["sender_id"]) == (201, made["id"], ben.id)


async def test_sender__who_is_no_member__is_invalid(api: Api) -> None:
    host, (ada, ben, cyd) = Host.of(api), await api.users(3)
    group = await ada.group(ben)
    await ben.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")
    for sender in (cyd, ben, SYSTEM_USER_ID, "external:nobody", "nobody", None):
        assert fields(await send(host, group["id"], new(sender))) == ["sender"], sender
        assert fields(await send(host, group["id"], new(sender, ephemeral=True))) == ["sender"], sender


async def test_conversation__that_is_none__is_not_found(api: Api) -> None:
    host, ada = Host.of(api), await api.user()
    name = new_name()
    made = await host.made(name, ada)
    assert (await host.call("DELETE", PATH + quote(name, safe=""))).status == 204
    for reference in (made["id"], SYSTEM_USER_ID, "external:nothing", "nothing", "external:" + quote(name, safe="")):
        for body in (new(ada), new(ada, ephemeral=True), {"messages": [new(ada)]}):
            assert (await send(host, reference, body)).status == 404, reference


async def test_message__that_is_wrong__is_invalid(api: Api) -> None:
    host, ada = Host.of(api), await api.user()
    group = await ada.group()
    wrong: list[tuple[Json, str]] = [
        (new(ada, body=""), "body"),
        (new(ada, body="x" * 8_001), "body"),
        ({"sender": ada.id, "body": "a"}, "client_message_id"),
        (new(ada, metadata={"a": "x" * 5_000}), "metadata"),
        (new(None, system={"type": "member_added"}), "system"),
        (new(None, system={}), "system"),
        (new(None, system={"type": "custom"}, ephemeral=True), "ephemeral"),
        (new(ada, reply_to=group["id"]), "reply_to"),
        ({"messages": []}, "messages"),
        ({"messages": [new(ada)] * 101}, "messages"),
        ({"messages": [new(ada), new(ada, ephemeral=True)]}, "messages.1.ephemeral"),
    ]
    for body, field in wrong:
        assert fields(await send(host, group["id"], body)) == [field], body
    assert (await send(host, group["id"], [])).status == 400  # type: ignore[arg-type]
    assert await history(ada, group["id"]) == []


async def test_host__is_kept_back_by_no_limit_of_members(start_api: Start) -> None:
    async with start_api(message_rate_per_s=0.001, message_burst=1) as api:
        host, (ada, ben) = Host.of(api), await api.users(2)
        group = await ada.group(ben)
        path = f"/v1/conversations/{group['id']}"
        await ada.patch(path, {"slow_mode_s": 60, "posting": "admins"})
        await ada.put(f"{path}/members/{ben.id}/mute", {"until": None})
        for n in range(3):
            assert (await send(host, group["id"], new(ben, f"message {n}"))).status == 201
        assert (await send(host, group["id"], {"messages": [new(ben), new(ben)]})).status == 200


async def test_host__is_kept_back_by_an_archive_and_a_block(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    group, direct = await ada.group(ben), await ada.direct(ben)
    await ada.put(f"/v1/conversations/{group['id']}/archive")
    await ada.put(f"/v1/users/me/blocks/{ben.id}")
    for ephemeral in (False, True):
        more: Json = {"ephemeral": True} if ephemeral else {}
        assert (await send(host, group["id"], new(ada, **more))).status == 403
        assert (await send(host, direct["id"], new(ada, **more))).status == 403
        assert (await send(host, direct["id"], new(ben, **more))).status == 403
    said = await send(host, group["id"], new(None, system={"type": "custom"}))
    assert (said.status, list(said.body["error"]["details"])) == (403, ["archived_at"])


# -- said by the conversation


async def test_custom_message__is_the_built_in_bots(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    group = await ada.group(ben)
    api.auth.registered[SYSTEM_USER_ID] = Profile(
        id=SYSTEM_USER_ID, username="system", display_name="System", avatar_url=None, is_bot=True
    )
    body = new(None, "The ticket was closed.", system={"type": "custom", "kind": "closed"}, metadata={"k": 1})

    said = await send(host, group["id"], body)
    again = await send(host, group["id"], body)
    other = await send(host, group["id"], {**body, "system": {"type": "custom", "kind": "open"}})

    assert (said.status, again.status, again.body) == (201, 200, said.body)
    assert other.status == 409
    message = said.body
    assert (message["sender_id"], message["system"], message["metadata"], message["body"]) == (
        SYSTEM_USER_ID,
        {"type": "custom", "kind": "closed"},
        {"k": 1},
        "The ticket was closed.",
    )
    assert await history(ben, group["id"]) == [message]
    seen = await ben.get(f"/v1/conversations/{group['id']}")
    assert (seen["last_message"], seen["members_count"], seen["unread_count"]) == (message, 2, 0)
    (system,) = (await ben.get(f"/v1/users?ids={SYSTEM_USER_ID}"))["items"]
    assert (system["id"], system["is_bot"]) == (SYSTEM_USER_ID, True)
    assert SYSTEM_USER_ID not in [user["id"] for user in (await ben.get("/v1/users?search=system"))["items"]]


async def test_built_in_bot__is_nobodys_member(api: Api) -> None:
    ada, ben = await api.users(2)
    api.auth.registered[SYSTEM_USER_ID] = Profile(
        id=SYSTEM_USER_ID, username="system", display_name="System", avatar_url=None, is_bot=True
    )
    group = await ada.group(ben)
    direct = {"type": "direct", "member_ids": [SYSTEM_USER_ID]}
    assert fields(await ada.call("POST", "/v1/conversations", direct)) == ["member_ids"]
    adding = await ada.call("POST", f"/v1/conversations/{group['id']}/members", {"user_ids": [SYSTEM_USER_ID]})
    assert fields(adding) == ["user_ids"]


async def test_sync__with_custom_messages__equals_a_fresh_load(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    group = await ada.group(ben)
    await send(host, group["id"], new(None, "said", system={"type": "custom"}))
    sent = await send(host, group["id"], new(ada))
    await host.call("PATCH", f"/v1/conversations/{group['id']}/messages/{sent.body['id']}", {"body": "changed"})

    answer = await ben.post("/v1/sync", {"cursors": {group["id"]: 1}})

    synced = answer["conversations"][group["id"]]["messages"]
    assert sorted(synced, key=lambda message: message["seq"]) == await history(ben, group["id"])


# -- batches


async def test_batch__is_stored_in_the_order_given__each_with_its_outcome(api: Api) -> None:
    host, (ada, ben, cyd) = Host.of(api), await api.users(3)
    group = await ada.group(ben)
    same = new(ben, "twice")
    batch = [
        new(ada, "first"),
        new(None, "second", system={"type": "custom"}),
        new(cyd, "of no member"),
        same,
        new(ada, ""),
        same,
        {**same, "body": "changed"},
        {"unknown": True},
        new(None, "third", system={"type": "custom"}),
        new(ben, "fourth"),
    ]

    answer = await send(host, group["id"], {"messages": batch})

    assert answer.status == 200, answer
    items = answer.body["items"]
    assert [item["message"]["seq"] if "message" in item else item["error"]["code"] for item in items] == [
        *(1, 2, "invalid", 3, "invalid", 3, "client_message_id_reused", "invalid", 4, 5),
    ]
    stored = await history(ben, group["id"])
    assert [message["body"] for message in stored] == ["first", "second", "twice", "third", "fourth"]
    assert [message["change_seq"] for message in stored] == [2, 3, 4, 5, 6]
    assert items[2]["error"]["details"] == [{"field": "sender", "message": "must be a member of the conversation"}]


async def test_batches__at_once__keep_their_order(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    group = await ada.group(ben)

    async def batch(name: str) -> None:
        messages = [new(ada if n % 3 else None, f"{name} {n}", **({} if n % 3 else CUSTOM)) for n in range(100)]
        answer = await send(host, group["id"], {"messages": messages})
        assert all("message" in item for item in answer.body["items"])

    await asyncio.gather(*(batch(name) for name in ("a", "b")))

    found = await ada.list(f"/v1/conversations/{group['id']}/messages?after_seq=0", 100)
    for name in ("a", "b"):
        bodies = [message["body"] for message in found if message["body"].startswith(name)]
        assert bodies == [f"{name} {n}" for n in range(100)]
    assert [message["seq"] for message in found] == list(range(1, 201))


# -- ephemeral


async def test_ephemeral_message__reaches_the_room_and_is_stored_nowhere(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    group = await ada.group(ben)
    before = await ben.get(f"/v1/conversations/{group['id']}")
    await api.subscribe(group["id"])
    body = new(ada, "is looking at it", ephemeral=True, metadata={"k": 1})

    said, again = await send(host, group["id"], body), await send(host, group["id"], body)

    assert (said.status, again.status) == (200, 200)
    assert said.body.keys() == {
        *("id", "conversation_id", "sender_id", "client_message_id", "body", "metadata", "created_at"),
    }
    assert (said.body["sender_id"], said.body["body"], said.body["metadata"]) == (ada.id, body["body"], {"k": 1})
    await eventually(lambda: len(api.redis.room_events(group["id"])) == 2)
    first, second = api.redis.room_events(group["id"])
    assert (first.event, first.change_seq, first.payload, second.payload) == (
        "message:ephemeral",
        None,
        said.body,
        again.body,
    )
    assert await ben.get(f"/v1/conversations/{group['id']}") == before
    assert await history(ben, group["id"]) == []


# -- any message


async def test_key__edits_and_deletes_any_message(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    group = await ada.group(ben)
    sent, said = await ada.send(group["id"]), await send(host, group["id"], new(None, "open", **CUSTOM))
    await ben.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")
    await api.subscribe(group["id"])
    place = f"/v1/conversations/{group['id']}/messages/"

    edited = await host.call("PATCH", place + sent["id"], {"body": "changed"})
    renamed = await host.call("PATCH", place + said.body["id"], {"body": "closed"})
    assert (edited.status, edited.body["body"], renamed.body["body"]) == (200, "changed", "closed")
    assert renamed.body["system"] == {"type": "custom"}
    for message_id in (sent["id"], said.body["id"]):
        assert (await host.call("DELETE", place + message_id)).status == 204
        assert (await host.call("DELETE", place + message_id)).status == 204
        assert (await host.call("PATCH", place + message_id, {"body": "late"})).status == 409
    assert [message["deleted_at"] is not None for message in await history(ada, group["id"])] == [True, True]
    assert (await host.call("PATCH", place + group["id"], {"body": "a"})).status == 404
    events = [event.event for event in api.redis.room_events(group["id"])]
    assert [events.count(kind) for kind in ("message:updated", "message:deleted")] == [2, 2]
    assert (await ada.call("PATCH", place + said.body["id"], {"body": "mine"})).status == 403
