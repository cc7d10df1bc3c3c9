"""The third part of the interface: its rows and points about the server API, the feed, webhooks and streams."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_testkit.clients import Users, new_name
from synctalk_testkit.eventually import eventually
from synctalk_testkit.service import serve_stub

from tests.e2e.backend import CONVERSATIONS, Backend, new_ticket, of_user, place, said
from tests.e2e.test_push import data, phone_of
from tests.e2e.test_team_interface import refused
from tests.e2e.test_threads import at, receives

NO_ONE = "00000000-0000-7000-8000-00000000ffff"


def new_external_id() -> str:
    return f"customer-{secrets.token_hex(6)}"


@dataclass
class Receiver:
    """A host app's endpoint for webhooks."""

    url: str = ""
    status: int = 204
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        self.requests.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        return web.Response(status=self.status)

    def ids_of(self, message: dict[str, Any]) -> list[str]:
        """Return the ids of the events that came about a message."""
        return [headers["webhook-id"] for headers, body in self.requests if message["id"].encode() in body]


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    endpoint = Receiver()
    app = web.Application()
    app.router.add_post("/events", endpoint.receive)
    async with serve_stub(app) as url:
        endpoint.url = f"{url}/events"
        yield endpoint


@asynccontextmanager
async def webhook(backend: Backend, *types: str) -> AsyncIterator[tuple[Receiver, dict[str, Any]]]:
    async with receiver() as endpoint:
        made = await backend.call("POST", "/v1/webhooks", {"url": endpoint.url, "types": types})
        try:
            yield endpoint, made
        finally:
            await backend.request("DELETE", f"/v1/webhooks/{made['id']}")


async def test_embed_server_1__keys__are_shown_once__and_say_their_scope(backend: Backend) -> None:
    made = await backend.request("POST", "/v1/server/keys", {"name": "one", "scopes": ["users"]})
    assert (made.status, made.body.keys() >= {"id", "key"}) == (201, True)
    listed = (await backend.call("GET", "/v1/server/keys"))["items"]
    (mine,) = [each for each in listed if each["id"] == made.body["id"]]
    assert (mine["name"], mine["scopes"], "key" in mine) == ("one", ["users"], False)
    assert (await backend.request("DELETE", f"/v1/server/keys/{made.body['id']}")).status == 204


async def test_embed_server_2__users__are_put_read_and_deactivated(backend: Backend) -> None:
    name = new_external_id()
    made = await backend.request("PUT", of_user(name), {"display_name": "Cus", "metadata": {"n": 1}})
    again = await backend.request("PUT", of_user(name), {"display_name": "Customer"})
    assert (made.status, again.status, again.body["display_name"]) == (201, 200, "Customer")
    assert (await backend.call("GET", of_user(name)))["metadata"] == {"n": 1}
    assert (await backend.request("DELETE", of_user(name))).status == 204
    assert (await backend.call("GET", of_user(name)))["deactivated_at"] is not None


async def test_embed_server_3__token__signs_in_a_user_of_the_host_app(backend: Backend) -> None:
    name = new_external_id()
    made = await backend.call("PUT", of_user(name), {"display_name": "Cus"})
    tokens = await backend.call("POST", f"{of_user(name)}/token")
    assert tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "session_id", "user"}
    user = backend.signed_in(tokens)
    await user.connect()
    assert user.id == made["id"]


async def test_embed_server_6__bot__is_made_with_its_token(backend: Backend) -> None:
    body = {"username": f"bot-{secrets.token_hex(6)}", "display_name": "Helper"}
    made = await backend.request("POST", "/v1/server/bots", body)
    assert (made.status, made.body.keys()) == (201, {"user", "token"})
    assert made.body["user"]["is_bot"] is True


async def test_embed_webhooks_1__webhook__is_made_changed_tried_and_replayed(backend: Backend, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    async with webhook(backend, "report.created") as (endpoint, made):
        path = f"/v1/webhooks/{made['id']}"
        assert made.keys() == {"id", "secret"}
        start = await backend.feed_end()
        message = await ada.say((await ada.direct_with(bob))["id"], "hello")
        await bob.post(f"{at(message)}/report", {"reason": "spam"})
        await eventually(lambda: endpoint.ids_of(message), 20)
        (listed,) = [each for each in (await backend.call("GET", "/v1/webhooks"))["items"] if each["id"] == made["id"]]
        assert (listed["active"], listed["types"]) == (True, ["report.created"])
        tried = await backend.call("POST", f"{path}/test")
        assert tried["status"] == 204
        assert (await backend.request("POST", f"{path}/replay", {"after": start})).status == 202
        await eventually(lambda: len(endpoint.ids_of(message)) == 2, 20)
        assert len(set(endpoint.ids_of(message))) == 1
        await eventually(lambda: _is_delivered(backend, path, endpoint.ids_of(message)[0]), 20)
        assert (await backend.call("PATCH", path, {"active": False}))["active"] is False
    assert (await backend.request("DELETE", path)).status in (204, 404)


async def test_embed_point_06__event__is_in_the_feed_soon__in_the_order_of_the_conversation(
    backend: Backend, users: Users
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    start = await backend.feed_end()
    direct = (await ada.direct_with(bob))["id"]
    messages = [await (ada, bob)[n % 2].say(direct, f"{n}") for n in range(6)]

    async def all_there() -> list[dict[str, Any]]:
        found = await backend.events(start, direct, "message.created")
        return found if len(found) == 6 else []

    read = await eventually(all_there, 20)
    assert [event["data"]["message"]["id"] for event in read] == [message["id"] for message in messages]


async def test_embed_point_07__feed__is_read_from_a_place__within_its_bounds(backend: Backend, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    now = await backend.call("GET", "/v1/events")
    assert now["items"] == []
    waiting = asyncio.create_task(
        backend.call("GET", f"/v1/events?after={now['next']}&types=conversation.created&wait=30")
    )
    await ada.direct_with(bob)
    assert (await waiting)["items"][0]["type"] == "conversation.created"
    again = [await backend.call("GET", f"/v1/events?after={now['next']}&limit=1") for _ in range(2)]
    assert again[0]["items"] == again[1]["items"]
    assert len((await backend.call("GET", "/v1/events?after=0&limit=1"))["items"]) == 1
    assert await backend.refused("GET", "/v1/events?after=nonsense") == (400, "bad_cursor")
    for bad in ("limit=0", "limit=1001", "wait=61", "types=message.read"):
        assert await backend.refused("GET", f"/v1/events?after=0&{bad}") == (422, "invalid")


async def test_embed_point_08__deleted_message__is_gone_from_its_older_events(backend: Backend, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    start = await backend.feed_end()
    message = await ada.say((await ada.direct_with(bob))["id"], "a secret word")

    async def created() -> list[dict[str, Any]]:
        return await backend.events(start, message["id"], "message.created")

    (before,) = await eventually(created, 20)
    await ada.delete(at(message))
    await eventually(lambda: _body_is(created, ""), 20)
    (after,) = await created()
    assert (after["id"], after["type"]) == (before["id"], before["type"])
    assert after["data"]["message"]["deleted_at"] is not None


async def _body_is(read: Any, body: str) -> bool:
    return bool((await read())[0]["data"]["message"]["body"] == body)


async def test_embed_point_09__events__have_their_data(backend: Backend, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    start, name = await backend.feed_end(), new_ticket()
    customer = new_external_id()
    user = await backend.call("PUT", of_user(customer), {"display_name": "Cus"})
    group = await backend.put(name, ada.id, bob.id, title="Ticket")
    message = await ada.say(group["id"], "hello")
    await bob.post(f"/v1/conversations/{group['id']}/read", {"seq": 1})
    await bob.post(f"{at(message)}/report", {"reason": "spam"})
    await bob.delete(f"/v1/conversations/{group['id']}/members/{bob.id}")
    await ada.post("/v1/auth/logout")

    async def read() -> dict[str, dict[str, Any]]:
        page = await backend.call("GET", f"/v1/events?after={start}&limit=1000")
        mine = (group["id"], message["id"], user["id"], ada.session_id)
        found = {each["type"]: each["data"] for each in page["items"] if any(one in str(each) for one in mine)}
        wanted = {
            "message.created",
            "receipt.read",
            "member.changed",
            "report.created",
            "user.created",
            "session.ended",
        }
        return found if found.keys() >= wanted else {}

    found = await eventually(read, 20)
    conversation = found["conversation.created"]["conversation"]
    assert conversation.keys() == {"id", "external_id", "type", "title", "metadata", "created_at", "updated_at"}
    assert conversation["external_id"] == name
    assert found["message.created"]["message"]["id"] == message["id"]
    assert found["member.changed"].keys() == {"conversation_id", "user_id", "role", "change_seq"}
    assert found["receipt.read"].keys() == {"conversation_id", "user_id", "seq"}
    assert found["user.created"]["user"]["external_id"] == customer
    assert found["session.ended"] == {"user_id": ada.id, "session_id": ada.session_id, "reason": "logged_out"}
    assert found["report.created"] == {
        "conversation_id": group["id"],
        "message_id": message["id"],
        "reporter_id": bob.id,
        "reason": "spam",
    }


async def test_embed_point_11__external_id__is_kept_to_the_byte__and_bulk_gives_each_an_outcome(
    backend: Backend, users: Users
) -> None:
    ada = await users.register("Ada")
    name = f"Üser/{secrets.token_hex(4)}"
    assert (await backend.request("PUT", of_user(name), {"display_name": "One"})).status == 201
    kept = await backend.call("PUT", of_user(name), {"metadata": {"n": 2}})
    assert (kept["external_id"], kept["display_name"], kept["metadata"]) == (name, "One", {"n": 2})
    assert await backend.refused("PUT", of_user(name.lower()), {}) == (422, "invalid")
    taken = {"display_name": "x", "username": ada.username}
    assert await backend.refused("PUT", of_user(new_external_id()), taken) == (409, "username_taken")
    good, bad = {"external_id": new_external_id(), "display_name": "x"}, taken | {"external_id": new_external_id()}
    items = (await backend.call("POST", "/v1/server/users", {"users": [bad, good]}))["items"]
    assert [each["external_id"] for each in items] == [bad["external_id"], good["external_id"]]
    assert (items[0]["error"]["code"], items[1]["user"]["display_name"]) == ("username_taken", "x")
    for count in (0, 101):
        assert await backend.refused("POST", "/v1/server/users", {"users": [good] * count}) == (422, "invalid")


async def test_embed_point_12__deletion__ends_sessions__and_erases_what_is_asked(
    backend: Backend, users: Users
) -> None:
    ada = await users.register("Ada")
    cus, name = await backend.user()
    group = await ada.group_with(cus)
    message = await cus.say(group["id"], "personal")
    live = await cus.connect()
    for _ in range(2):
        assert (await backend.request("DELETE", of_user(name))).status == 204
    await live.receive("session:ended", {"reason": "revoked"})
    assert (await backend.request("POST", f"{of_user(name)}/token")).status == 403
    assert (await ada.get(at(message)))["body"] == "personal"
    assert (await backend.request("PUT", of_user(name), {})).status == 200
    assert (await backend.request("POST", f"{of_user(name)}/token")).status == 200
    await backend.call("DELETE", f"{of_user(name)}?erase=messages")
    await eventually(lambda: _is_deleted(ada, at(message)), 30)
    await backend.call("DELETE", f"{of_user(name)}?erase=author")
    await eventually(lambda: _is_anonymous(ada, cus.id), 30)
    assert (await backend.request("PUT", of_user(name), {"display_name": "New"})).status == 201
    assert (await backend.request("DELETE", of_user(new_external_id()))).status == 404


async def _is_deleted(user: Any, path: str) -> bool:
    return (await user.get(path))["deleted_at"] is not None


async def _is_anonymous(user: Any, user_id: str) -> bool:
    seen = await user.get(f"/v1/users/{user_id}")
    return bool(seen["display_name"] == "Deleted user" and seen["username"].startswith("deleted-"))


async def test_embed_point_13__put_conversation__makes_or_changes__with_members_as_given(
    backend: Backend, users: Users
) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    name = new_ticket()
    body = {"type": "group", "title": "Ticket", "member_ids": [ada.id, bob.id], "owner": bob.id}
    made = await backend.request("PUT", place(name), body)
    assert made.status == 201
    changed = await backend.request("PUT", place(name), {"type": "group", "title": "New"})
    assert (changed.status, changed.body["title"], changed.body["members_count"]) == (200, "New", 2)
    assert (await bob.get(f"/v1/conversations/{made.body['id']}"))["role"] == "owner"
    await backend.put(name, bob.id, eve.id)
    members = (await bob.get(f"/v1/conversations/{made.body['id']}/members"))["items"]
    assert {each["user"]["id"] for each in members} == {bob.id, eve.id}
    assert await backend.refused("PUT", place(name), {"type": "direct", "member_ids": [ada.id, bob.id]}) == (
        409,
        "conflict",
    )
    unknown = {"type": "group", "member_ids": [NO_ONE]}
    assert await backend.refused("PUT", place(new_ticket()), unknown) == (422, "invalid")
    direct = await ada.direct_with(bob)
    pair = {"type": "direct", "member_ids": [ada.id, bob.id]}
    named = new_ticket()
    given = await backend.request("PUT", place(named), pair)
    assert (given.status, given.body["id"]) == (200, direct["id"])
    assert await backend.refused("PUT", place(new_ticket()), pair) == (409, "conflict")
    added = await backend.request("POST", f"{place(name)}/members/{ada.id}")
    assert (added.status, added.body["user"]["id"]) == (200, ada.id)
    assert (await backend.request("DELETE", f"{place(name)}/members/{ada.id}")).status == 204
    assert (await backend.request("GET", place(name))).status == 200
    assert (await backend.request("DELETE", place(name))).status == 204


async def test_embed_point_14__server_key_alone__sees_conversations_as_nobody(backend: Backend, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct, name = await ada.direct_with(bob), new_ticket()
    await ada.say(direct["id"], "hello")
    group = await backend.put(name, ada.id)
    seen = await backend.call("GET", f"/v1/conversations/{direct['id']}")
    assert (seen["peer"], seen["role"], seen["me"], seen["read_seq"], seen["unread_count"]) == (None, None, None, 0, 0)
    assert {user["id"] for user in seen["members"]} == {ada.id, bob.id}
    assert (await backend.call("GET", f"/v1/conversations/{group['id']}"))["external_id"] == name
    for path in ("/members", "/messages", "/pins", "/receipts?seq=1"):
        assert (await backend.request("GET", f"/v1/conversations/{direct['id']}{path}")).status == 200
    for method, path, body in (
        ("POST", f"/v1/conversations/{direct['id']}/messages", {"client_message_id": "x", "body": "x"}),
        ("GET", "/v1/threads", None),
        ("GET", "/v1/conversations", None),
    ):
        answer = await backend.request(method, path, body)
        assert (answer.status, answer.fields) == (422, {"X-SyncTalk-User"})


async def test_embed_point_15__server_message__has_a_member_as_sender__or_is_the_conversations_own(
    backend: Backend, users: Users
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = await backend.put(new_ticket(), ada.id)
    path = f"{CONVERSATIONS}{group['id']}/messages"
    for sender in (bob.id, f"external:{new_external_id()}"):
        assert await backend.refused("POST", path, said(sender)) == (422, "invalid")
    own = {"client_message_id": new_name(), "body": "Closed.", "system": {"type": "custom", "by": "desk"}}
    message = await backend.call("POST", path, own)
    assert (message["sender_id"], message["system"]) == (SYSTEM_USER_ID, own["system"])
    bot = next(iter((await ada.get(f"/v1/users?ids={SYSTEM_USER_ID}"))["items"]))
    assert (bot["username"], bot["is_bot"]) == ("system", True)
    for count in (0, 101):
        batch = {"messages": [said(ada.id)] * count}
        assert await backend.refused("POST", path, batch) == (422, "invalid")
    items = (await backend.call("POST", path, {"messages": [said(ada.id, "a"), said(bob.id), said(ada.id, "b")]}))[
        "items"
    ]
    assert [each.keys() for each in items] == [{"message"}, {"error"}, {"message"}]
    assert items[0]["message"]["seq"] + 1 == items[2]["message"]["seq"]
    fast = {"messages": [said(ada.id, f"{n}") for n in range(40)]}
    assert all("message" in each for each in (await backend.call("POST", path, fast))["items"])


async def test_embed_point_16__ephemeral__is_refused_as_system_or_in_a_batch(backend: Backend, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = await backend.put(new_ticket(), ada.id, bob.id)
    path, live = f"{CONVERSATIONS}{group['id']}/messages", await bob.connect()
    sent = await backend.request("POST", path, said(ada.id, "is typing", ephemeral=True))
    fields = {"id", "conversation_id", "sender_id", "client_message_id", "body", "metadata", "created_at"}
    assert (sent.status, sent.body.keys()) == (200, fields)
    assert await live.wait_for("message:ephemeral") == sent.body
    system = {"client_message_id": new_name(), "body": "x", "system": {"type": "custom"}, "ephemeral": True}
    assert await backend.refused("POST", path, system) == (422, "invalid")
    batch = {"messages": [said(ada.id, ephemeral=True)]}
    assert await backend.refused("POST", path, batch) == (422, "invalid")
    assert (await bob.get(f"/v1/conversations/{group['id']}"))["unread_count"] == 0


async def test_embed_point_17__append__skips_what_is_there__and_shows_a_gap(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    path = f"/v1/conversations/{direct}/messages"
    started = await ada.request("POST", f"{path}/stream", json={"client_message_id": new_name(), "body": "Hé"})
    assert (started.status, started.body["streaming"]) == (201, True)
    stream = f"{path}/{started.body['id']}/stream"
    assert await ada.patch(stream, {"at": 1, "text": "éllo"}) == {"at": 5}
    gap = await ada.request("PATCH", stream, json={"at": 9, "text": "x"})
    assert (gap.status, gap.code, gap.body["error"]["details"]) == (409, "conflict", {"at": 5})
    assert await refused(bob, "PATCH", stream, {"at": 5, "text": "x"}) == (403, "forbidden")
    eve = await users.register("Eve")
    assert await refused(eve, "PATCH", stream, {"at": 5, "text": "x"}) == (404, "not_found")
    live = await ada.connect()
    here = {"conversation_id": direct, "message_id": started.body["id"]}
    ack = await live.done("message:stream:append", here | {"at": 5, "text": "!"})
    assert ack == {"ok": True, "at": 6}
    ended = await ada.request("POST", f"{stream}/end", json={})
    assert (ended.status, ended.body["body"], ended.body["streaming"]) == (200, "Héllo!", False)
    assert await refused(ada, "PATCH", stream, {"at": 6, "text": "x"}) == (409, "conflict")


async def test_embed_point_18__stream__takes_one_number_at_its_end__and_settles_then(
    backend: Backend, users: Users
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    live, start = await bob.connect(), await backend.feed_end()
    path = f"/v1/conversations/{direct}/messages"
    message = await ada.post(f"{path}/stream", {"client_message_id": new_name()})
    assert (await receives(live, "message:new", id=message["id"]))["body"] == ""
    stream = f"{path}/{message['id']}/stream"
    await ada.patch(stream, {"at": 0, "text": f"Hello @{bob.username}"})
    await receives(live, "message:delta", message_id=message["id"], at=0)
    assert await refused(ada, "PATCH", stream, {"at": 0, "text": "x" * 8_001}) == (422, "invalid")
    assert await refused(ada, "PATCH", f"{path}/{message['id']}", {"body": "x"}) == (409, "conflict")
    ended = await ada.post(f"{stream}/end", {})
    assert (ended["change_seq"], ended["edited_at"], ended["mentions"]) == (message["change_seq"] + 1, None, [bob.id])
    assert (ended["streaming"], ended["interrupted"]) == (False, False)

    async def kinds() -> list[str]:
        found = [each["type"] for each in await backend.events(start, message["id"]) if "message." in each["type"]]
        return found if len(found) == 2 else []

    assert await eventually(kinds, 20) == ["message.created", "message.updated"]
    empty = await ada.post(f"{path}/stream", {"client_message_id": new_name()})
    gone = await ada.post(f"{path}/{empty['id']}/stream/end", {})
    assert gone["deleted_at"] is not None


async def test_embed_point_19__webhook__is_signed_as_standard_webhooks__by_both_secrets_for_a_day(
    backend: Backend,
) -> None:
    async with webhook(backend, "report.created") as (endpoint, made):
        path = f"/v1/webhooks/{made['id']}"
        assert made["secret"].startswith("whsec_")
        old = base64.b64decode(made["secret"].removeprefix("whsec_"))
        rotated = await backend.call("PATCH", path, {"rotate_secret": True})
        new = base64.b64decode(rotated["secret"].removeprefix("whsec_"))
        assert (len(old), len(new)) == (32, 32)
        await backend.call("POST", f"{path}/test")
        await eventually(lambda: endpoint.requests)
        headers, body = endpoint.requests[-1]
        assert abs(int(headers["webhook-timestamp"]) - time.time()) < 30
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        signatures = [
            "v1," + base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode() for secret in (old, new)
        ]
        assert sorted(headers["webhook-signature"].split(" ")) == sorted(signatures)
        (listed,) = [each for each in (await backend.call("GET", "/v1/webhooks"))["items"] if each["id"] == made["id"]]
        assert "secret" not in listed


async def test_embed_point_20__delivery__that_fails__is_seen_and_tried_again(backend: Backend, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    async with webhook(backend, "report.created") as (endpoint, made):
        path = f"/v1/webhooks/{made['id']}"
        endpoint.status = 500
        message = await ada.say((await ada.direct_with(bob))["id"], "hello")
        await bob.post(f"{at(message)}/report", {"reason": "spam"})
        await eventually(lambda: endpoint.ids_of(message), 20)

        async def failed() -> dict[str, Any] | None:
            for each in (await backend.call("GET", f"{path}/deliveries"))["items"]:
                if each["attempts"] > 0 and each["status"] == "pending":
                    found: dict[str, Any] = each
                    return found
            return None

        delivery = await eventually(failed, 20)
        assert delivery is not None
        assert delivery.keys() == {
            *("event_id", "type", "status", "attempts", "last_status", "last_error", "next_try_at"),
        }
        assert (delivery["last_status"], delivery["next_try_at"] is None) == (500, False)
        endpoint.status = 204
        await eventually(lambda: _is_delivered(backend, path, delivery["event_id"]), 40)
        (listed,) = [each for each in (await backend.call("GET", "/v1/webhooks"))["items"] if each["id"] == made["id"]]
        assert listed.keys() == {"id", "url", "types", "description", "active", "created_at", "failing_since"}
        tried = await backend.call("POST", f"{path}/test")
        assert (tried["status"], tried["duration_ms"] >= 0) == (204, True)
        assert await backend.refused("POST", f"{path}/replay", {"after": "nonsense"}) == (400, "bad_cursor")


async def _is_delivered(backend: Backend, path: str, event_id: str) -> bool:
    items = (await backend.call("GET", f"{path}/deliveries"))["items"]
    return any(each["event_id"] == event_id and each["status"] == "delivered" for each in items)


async def test_embed_point_21__address__is_public_and_encrypted__or_named(backend: Backend) -> None:
    for url in (
        "http://example.org/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://0.0.0.1/x",
        "https://user@example.org/x",
        "https://example.org/x#y",
        "https://example.org/" + "x" * 2_048,
    ):
        body = {"url": url, "types": ["message.created"]}
        assert await backend.refused("POST", "/v1/webhooks", body) == (422, "invalid"), url
    async with receiver() as endpoint:
        made = await backend.call("POST", "/v1/webhooks", {"url": endpoint.url, "types": ["message.created"]})
        await backend.call("DELETE", f"/v1/webhooks/{made['id']}")


async def test_embed_server_5__silent_message__is_unread__and_pushed_to_nobody(backend: Backend, users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    phone, group = await phone_of(bob), await backend.put(new_ticket(), ada.id, bob.id)
    path = f"{CONVERSATIONS}{group['id']}/messages"
    body = said(ada.id, "quiet", silent=True, metadata={"n": 1})
    quiet = await backend.request("POST", path, body)
    assert (quiet.status, (await backend.request("POST", path, body)).status) == (201, 200)
    loud = await backend.call("POST", path, said(ada.id, "loud"))
    await phone.gets(loud)
    assert [data(push)["message_id"] for push in await phone.pushes()] == [loud["id"]]
    assert (await bob.get(f"/v1/conversations/{group['id']}"))["unread_count"] == 2
