"""The conversations and messages of a host app's backend, through the whole system."""

import asyncio
import secrets
from typing import Any
from urllib.parse import quote

from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.eventually import eventually

from tests.e2e.backend import CONVERSATIONS as PATH
from tests.e2e.backend import Backend, new_ticket, place, said


async def test_embed_server_4__ticket__from_its_first_message_to_its_end(backend: Backend, users: Users) -> None:
    agent, name = await users.register("Agent"), new_ticket()
    live = await agent.connect()
    customer_id, customer = await backend.put_user()
    made = await backend.put(name, agent.id, customer, title="Ticket")  # a user just put can be named at once
    await live.wait_for("conversation:new", lambda got: got["id"] == made["id"])

    by_name = f"{PATH}external:{quote(name, safe='')}/messages"
    asked = await backend.call("POST", by_name, said(customer, "It does not start."))
    new = await live.wait_for("message:new", lambda got: got["id"] == asked["id"])
    assert (new["sender_id"], new["body"]) == (customer_id, "It does not start.")
    closed = await backend.call(
        "POST", by_name, {"client_message_id": new_name(), "body": "Closed.", "system": {"type": "custom"}}
    )
    await live.wait_for("message:new", lambda got: got["id"] == closed["id"])
    (system,) = (await agent.get(f"/v1/users?ids={closed['sender_id']}"))["items"]
    assert (system["id"], system["is_bot"], system["username"]) == (SYSTEM_USER_ID, True, "system")

    await backend.call("DELETE", f"{place(name)}/members/{quote(customer, safe='')}")
    await live.wait_for("member:changed", lambda got: (got["user_id"], got["role"]) == (customer_id, None))
    await backend.call("POST", f"{place(name)}/members/{quote(customer, safe='')}")
    await live.wait_for("member:changed", lambda got: (got["user_id"], got["role"]) == (customer_id, "member"))
    await backend.call("DELETE", place(name))
    await live.wait_for("conversation:removed", lambda got: got["id"] == made["id"])
    assert (await backend.request("GET", place(name))).status == 404


async def test_name__is_seen_by_server_keys_alone(backend: Backend, users: Users) -> None:
    ada, ben = await users.register_all("Ada", "Ben")
    name = new_ticket()
    made = await backend.put(name, ada.id)

    assert (made["external_id"], made["role"], made["me"], made["members"]) == (name, None, None, None)
    by_name = f"/v1/conversations/external:{quote(name, safe='')}"
    for seen in (
        await ada.get(by_name),
        await backend.call("GET", by_name, **{"X-SyncTalk-User": ada.id}),
        *(await ada.get("/v1/conversations"))["items"],
    ):
        assert seen["id"] == made["id"]
        assert "external_id" not in seen
    assert (await backend.call("GET", by_name))["external_id"] == name
    for path in (by_name, f"{by_name}/messages"):
        assert (await ben.request("GET", path)).status == 404
    for method in ("GET", "PUT", "DELETE"):
        assert (await ada.request(method, place(name), {"type": "group"} if method == "PUT" else None)).status == 403


async def test_many_puts_at_once__make_one(backend: Backend, users: Users) -> None:
    ada, ben = await users.register_all("Ada", "Ben")
    name, names = new_ticket(), [new_ticket() for _ in range(6)]
    group = {"type": "group", "title": "One", "member_ids": [ada.id, ben.id]}
    made = await asyncio.gather(*(backend.request("PUT", place(name), group) for _ in range(12)))
    assert sorted(answer.status for answer in made) == [200] * 11 + [201]
    assert len({answer.body["id"] for answer in made}) == 1

    direct = {"type": "direct", "member_ids": [ada.id, ben.id]}
    named = await asyncio.gather(*(backend.request("PUT", place(each), direct) for each in names))
    assert sorted(answer.status for answer in named) == [201] + [409] * 5


async def test_batch__is_stored_in_order__each_with_its_outcome(backend: Backend, users: Users) -> None:
    ada, ben = await users.register_all("Ada", "Ben")
    made = await backend.put(new_ticket(), ada.id)
    messages = [said(ada.id if n != 7 else ben.id, str(n)) for n in range(100)]

    items = (await backend.call("POST", f"{PATH}{made['id']}/messages", {"messages": messages}))["items"]

    assert items[7]["error"]["code"] == "invalid"
    stored = [item["message"] for n, item in enumerate(items) if n != 7]
    assert [(message["seq"], message["body"]) for message in stored] == [
        (seq, str(n)) for seq, n in enumerate((n for n in range(100) if n != 7), 1)
    ]


async def test_ephemeral_message__reaches_who_is_there__and_stored_nowhere(backend: Backend, users: Users) -> None:
    ada, ben, cyd = await users.register_all("Ada", "Ben", "Cyd")
    made = await backend.put(new_ticket(), ada.id, ben.id)
    sockets = [await user.connect() for user in (ada, ben, cyd)]
    start = (await backend.call("GET", "/v1/events"))["next"]
    before = await ben.get(f"/v1/conversations/{made['id']}")

    sent = await backend.call("POST", f"{PATH}{made['id']}/messages", said(ada.id, "is looking", ephemeral=True))
    for live in sockets[:2]:
        assert await live.wait_for("message:ephemeral") == sent
    last = await ada.say(made["id"], "the end")

    async def fed() -> list[dict[str, Any]]:
        items = (await backend.call("GET", f"/v1/events?after={start}&limit=1000"))["items"]
        return [each["data"]["message"] for each in items if made["id"] in str(each) and "message" in each["data"]]

    await eventually(fed, 20)
    assert [message["id"] for message in await fed()] == [last["id"]]
    assert sockets[2].of("message:ephemeral") == []
    after = await ben.get(f"/v1/conversations/{made['id']}")
    assert (after["last_seq"], after["change_seq"]) == (before["last_seq"] + 1, before["change_seq"] + 1)


async def test_silent_message__is_unread_and_pushed_to_nobody(backend: Backend, users: Users) -> None:
    ada, ben = await users.register_all("Ada", "Ben")
    token = secrets.token_hex(16)
    await ben.put("/v1/devices/phone", {"platform": "android", "token": token})
    made = await backend.put(new_ticket(), ada.id, ben.id)
    path = f"{PATH}{made['id']}/messages"
    await backend.call("POST", path, said(ada.id, "quiet", silent=True))
    loud = await backend.call("POST", path, said(ada.id, "loud"))

    async def pushed() -> list[str]:
        items = (await ben.get(f"/dev/push/messages?token={token}"))["items"]
        data = [item["message"]["data"] for item in items]
        return [each["message_id"] for each in data if each["type"] == "message"]

    await eventually(pushed, 20)
    assert await pushed() == [loud["id"]]
    assert (await ben.get(f"/v1/conversations/{made['id']}"))["unread_count"] == 2


async def test_events__have_the_conversations_name(backend: Backend, users: Users) -> None:
    ada = await users.register("Ada")
    start, name = (await backend.call("GET", "/v1/events"))["next"], new_ticket()
    made = await backend.put(name, ada.id, title="Old")
    await backend.put(name, ada.id, title="New")
    await backend.call("DELETE", place(name))

    async def about() -> list[tuple[str, str]]:
        items = (await backend.call("GET", f"/v1/events?after={start}&limit=1000"))["items"]
        named = [(each["type"], each["data"].get("conversation")) for each in items]
        return [(kind, of["external_id"]) for kind, of in named if of is not None and of["id"] == made["id"]]

    expected = [(f"conversation.{kind}", name) for kind in ("created", "updated", "deleted")]
    await eventually(lambda: _equal(about, expected), 20)


async def _equal(read: Any, expected: Any) -> bool:
    return bool(await read() == expected)


async def test_embed_server_7__key_alone__reads_and_moderates__and_needs_a_user_for_the_rest(
    backend: Backend, users: Users
) -> None:
    ada, ben = await users.register_all("Ada", "Ben")
    direct = await ada.direct_with(ben)
    message = await ada.say(direct["id"], "rude")
    path = f"/v1/conversations/{direct['id']}"

    seen = await backend.call("GET", path)
    assert ({user["id"] for user in seen["members"]}, seen["peer"]) == ({ada.id, ben.id}, None)
    assert len((await backend.call("GET", f"{path}/members"))["items"]) == 2
    assert (await backend.call("GET", f"{path}/messages"))["items"] == [message]
    edited = await backend.call("PATCH", f"{path}/messages/{message['id']}", {"body": "polite"})
    assert (await ben.get(f"{path}/messages/{message['id']}")) == edited
    await backend.call("DELETE", f"{path}/messages/{message['id']}")
    assert (await ben.get(f"{path}/messages/{message['id']}"))["deleted_at"] is not None
    for method, other in (("GET", "/v1/conversations"), ("POST", f"{path}/read"), ("GET", "/v1/users/me")):
        refused = await backend.request(method, other, {"seq": 1} if method == "POST" else None)
        assert refused.status == 422
        assert refused.body["error"]["details"][0]["field"] == "X-SyncTalk-User"
    acting: User = ada
    mine = await backend.call("GET", "/v1/users/me", **{"X-SyncTalk-User": acting.id})
    assert mine["id"] == ada.id
