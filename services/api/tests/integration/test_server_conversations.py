"""Conversations by the names that a host app gives them: made, changed, seen and deleted with a server key."""

import asyncio
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from synctalk_contracts import models, topology
from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.models import Scope
from synctalk_runtime.ids import new_id
from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Api, Json, Start, User

PATH = "/v1/server/conversations/"


@dataclass
class Host:
    """The backend of a host app, with a server key."""

    api: Api
    key: str

    @classmethod
    def of(cls, api: Api, *scopes: Scope) -> "Host":
        return cls(api, api.auth.server_key(*(scopes or (Scope.CONVERSATIONS, Scope.MESSAGES, Scope.USERS))))

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Response:
        return await self.api.service.call(method, path, body, token=self.key, **options)

    async def put(self, name: str, **fields: Any) -> Response:
        return await self.call("PUT", PATH + quote(name, safe=""), fields)

    async def made(self, name: str, *users: User, kind: str = "group", **fields: Any) -> Json:
        response = await self.put(name, type=kind, member_ids=[user.id for user in users], **fields)
        assert response.status == 201, response
        made: Json = response.body
        return made

    def call_by_name(self, user: User) -> str:
        """Let auth know the user by an external id, and return the name by which it may be given."""
        called = f"customer/{secrets.token_hex(6)}"
        self.api.auth.known[user.id] = models.ServerUser(
            **user.profile.model_dump(), external_id=called, private_metadata={}, deactivated_at=None, erased_at=None
        )
        return f"external:{called}"


def new_name() -> str:
    return f"ticket/{secrets.token_hex(6)} ä".replace(" ", "-")


async def roles(api: Api, conversation_id: str) -> dict[str, str]:
    rows = await api.sql(
        "select user_id::text, role from members where conversation_id = $1 and left_at is null", conversation_id
    )
    return {row["user_id"]: row["role"] for row in rows}


def fields(response: Response) -> list[str]:
    assert response.status == 422, response
    return [each["field"] for each in response.body["error"]["details"]]


# -- making


async def test_put__of_a_new_name__makes_a_group(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name = new_name()
    await api.redis.subscribe(topology.user_channel(ben.id))

    made = await host.made(name, ada, ben, title="Ticket 8812", metadata={"order": 7})

    assert (made["external_id"], made["title"], made["metadata"]) == (name, "Ticket 8812", {"order": 7})
    assert (made["type"], made["members_count"], made["change_seq"]) == ("group", 2, 1)
    assert await roles(api, made["id"]) == {ada.id: "owner", ben.id: "member"}
    (event,) = api.redis.user_events(ben.id)
    assert event.conversation.id == made["id"]


async def test_put__with_an_owner__is_owned_by_that_member(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    made = await host.made(new_name(), ada, ben, owner=ben.id)
    assert await roles(api, made["id"]) == {ada.id: "member", ben.id: "owner"}


async def test_put__of_users_by_external_id__asks_auth(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    unknown_here = await api.user("New", introduced=False)
    names = [host.call_by_name(user) for user in (ada, unknown_here)]

    response = await host.put(new_name(), type="group", title="A", member_ids=[*names, ben.id], owner=names[1])

    assert response.status == 201, response
    assert await roles(api, response.body["id"]) == {ada.id: "member", unknown_here.id: "owner", ben.id: "member"}


async def test_put__twenty_at_once__makes_one(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name = new_name()
    puts = [host.put(name, type="group", title="One", member_ids=[ada.id, ben.id]) for _ in range(20)]

    answers = await asyncio.gather(*puts)

    assert sorted(answer.status for answer in answers) == [200] * 19 + [201]
    assert len({answer.body["id"] for answer in answers}) == 1
    assert len(await api.sql("select from conversations where external_id = $1", name)) == 1


async def test_put__without_what_a_new_one_needs__is_invalid(api: Api) -> None:
    host, (ada, ben, cyd) = Host.of(api), await api.users(3)
    put = host.put
    assert fields(await put(new_name(), type="group", title="A")) == ["member_ids"]
    assert fields(await put(new_name(), type="group", title="A", member_ids=[])) == ["member_ids"]
    assert fields(await put(new_name(), type="group", title="A", member_ids=[ada.id, new_id()])) == ["member_ids"]
    assert fields(await put(new_name(), type="group", member_ids=[ada.id, "external:nobody"])) == ["member_ids"]
    assert fields(await put(new_name(), type="group", member_ids=[SYSTEM_USER_ID])) == ["member_ids"]
    assert fields(await put(new_name(), type="group", member_ids=[ada.id], owner=ben.id)) == ["owner"]
    assert fields(await put(new_name(), type="direct", member_ids=[ada.id])) == ["member_ids"]
    assert fields(await put(new_name(), type="direct", member_ids=[ada.id, ben.id, cyd.id])) == ["member_ids"]
    assert fields(await put(new_name(), type="direct", member_ids=[ada.id, ben.id], title="A")) == ["title"]
    assert fields(await put("a b", type="group", member_ids=[ada.id])) == ["external_id"]


# -- changing


async def test_put__of_a_known_name__changes_what_is_given(api: Api) -> None:
    host, (ada, ben, cyd) = Host.of(api), await api.users(3)
    name = new_name()
    made = await host.made(name, ada, ben, title="Old", description="kept", metadata={"a": 1})
    await api.subscribe(made["id"])

    changed = await host.put(name, type="group", title="New", metadata={"b": 2}, member_ids=[ada.id, cyd.id])

    assert changed.status == 200, changed
    body = changed.body
    assert (body["title"], body["description"], body["metadata"]) == ("New", "kept", {"b": 2})
    assert (body["id"], body["members_count"], body["change_seq"]) == (made["id"], 2, 4)
    assert await roles(api, made["id"]) == {ada.id: "owner", cyd.id: "member"}
    assert [event.change_seq for event in api.redis.room_events(made["id"])] == [2, 3, 4]
    assert (await ben.call("GET", f"/v1/conversations/{made['id']}")).status == 404


async def test_put__of_what_is_so_already__changes_nothing(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name = new_name()
    made = await host.made(name, ada, ben, title="Same")
    again = await host.put(name, type="group", title="Same", member_ids=[ben.id, ada.id])
    assert (again.status, again.body) == (200, made)
    assert (await host.put(name, type="group")).body == made


async def test_put__without_the_owner__hands_the_group_on(api: Api) -> None:
    host, (ada, ben, cyd) = Host.of(api), await api.users(3)
    name = new_name()
    made = await host.made(name, ada, ben, cyd)

    await host.put(name, type="group", member_ids=[ben.id, cyd.id])
    assert await roles(api, made["id"]) == {ben.id: "owner", cyd.id: "member"}
    await host.put(name, type="group", owner=cyd.id)
    assert await roles(api, made["id"]) == {ben.id: "admin", cyd.id: "owner"}
    await host.put(name, type="group", member_ids=[])
    assert await roles(api, made["id"]) == {}
    await host.put(name, type="group", member_ids=[ada.id, ben.id], owner=ben.id)
    assert await roles(api, made["id"]) == {ada.id: "member", ben.id: "owner"}


async def test_put__of_a_banned_user__lets_them_in(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name = new_name()
    made = await host.made(name, ada, ben)
    await ada.put(f"/v1/conversations/{made['id']}/bans/{ben.id}", {})

    await host.put(name, type="group", member_ids=[ada.id, ben.id])

    assert set(await roles(api, made["id"])) == {ada.id, ben.id}


async def test_put__of_another_type__is_a_conflict(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    group, direct = new_name(), new_name()
    await host.made(group, ada, ben)
    await host.made(direct, ada, ben, kind="direct")
    for name, kind in ((group, "direct"), (direct, "group")):
        response = await host.put(name, type=kind, member_ids=[ada.id, ben.id])
        assert (response.status, response.body["error"]["code"]) == (409, "conflict")


async def test_put__in_an_archived_group__changes_nothing(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name = new_name()
    made = await host.made(name, ada, ben, title="Old")
    await ada.put(f"/v1/conversations/{made['id']}/archive")
    for change in ({"title": "New"}, {"member_ids": [ada.id]}):
        response = await host.put(name, type="group", **change)
        assert (response.status, list(response.body["error"]["details"])) == (403, ["archived_at"])


async def test_group_with_system_messages__says_what_the_host_does(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name = new_name()
    made = await host.made(name, ada, title="Old", system_messages=True)
    await host.put(name, type="group", title="New", member_ids=[ada.id, ben.id])

    messages = (await ada.get(f"/v1/conversations/{made['id']}/messages"))["items"]
    assert [message["system"]["type"] for message in messages] == ["created", "renamed", "member_added"]
    assert {message["sender_id"] for message in messages} == {SYSTEM_USER_ID}
    assert [message["seq"] for message in messages] == [1, 2, 3]


# -- direct


async def test_put__of_a_direct_one__gives_the_existing_one_its_name(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    begun, name = await ada.direct(ben), new_name()
    await api.subscribe(begun["id"])

    named = await host.put(name, type="direct", member_ids=[ada.id, ben.id])

    assert (named.status, named.body["id"], named.body["external_id"]) == (200, begun["id"], name)
    (event,) = api.redis.room_events(begun["id"])
    assert (event.event, event.change_seq) == ("conversation:updated", begun["change_seq"] + 1)
    again = await host.put(name, type="direct", member_ids=[ben.id, ada.id])
    assert (again.status, again.body) == (200, named.body)
    other = await host.put(new_name(), type="direct", member_ids=[ada.id, ben.id])
    assert (other.status, other.body["error"]["code"]) == (409, "conflict")


async def test_put__of_two_names_for_one_direct_one__leaves_one(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    names = [new_name() for _ in range(8)]
    puts = [host.put(name, type="direct", member_ids=[ada.id, ben.id]) for name in names]

    answers = await asyncio.gather(*puts)

    assert sorted(answer.status for answer in answers) == [201] + [409] * 7
    kept = await api.sql("select external_id from conversation_names where external_id = any($1::text[])", names)
    (named,) = [name for name, answer in zip(names, answers, strict=True) if answer.status == 201]
    assert [row["external_id"] for row in kept] == [named]


async def test_put__of_one_name_for_two_direct_ones__leaves_one(api: Api) -> None:
    host, (ada, ben, cyd) = Host.of(api), await api.users(3)
    name = new_name()
    await host.made(name, ada, ben, kind="direct")
    response = await host.put(name, type="direct", member_ids=[ada.id, cyd.id])
    assert (response.status, response.body["error"]["code"]) == (409, "conflict")


# -- names


async def test_reserved_name__of_a_conversation_that_never_came__is_used(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    for kind, before in (("group", "group"), ("direct", "direct"), ("group", "direct"), ("direct", "group")):
        if kind == "direct":
            ben = await api.user()
        name, statement = new_name(), "insert into conversation_names values ($1, $2, $3, now() - $4::interval)"
        await api.sql(statement, name, new_id(), before, timedelta(minutes=2))
        assert (await host.call("GET", PATH + quote(name, safe=""))).status == 404
        assert (await host.made(name, ada, ben, kind=kind))["external_id"] == name


async def test_name__just_reserved_for_another_type__is_a_conflict(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    for kind, before in (("group", "direct"), ("direct", "group"), ("direct", "direct")):
        name = new_name()
        await api.sql("insert into conversation_names values ($1, $2, $3)", name, new_id(), before)
        response = await host.put(name, type=kind, member_ids=[ada.id, ben.id])
        assert (response.status, response.body["error"]["code"]) == (409, "conflict")


async def test_put__of_both_types_at_once__makes_one(api: Api) -> None:
    host = Host.of(api)
    for _ in range(5):
        ada, ben, cyd = await api.users(3)
        name = new_name()
        kinds = ("group", "direct") * 5
        puts = [host.put(name, type=kind, member_ids=[ada.id, ben.id]) for kind in kinds]
        puts += [host.put(name, type="direct", member_ids=[ada.id, cyd.id]) for _ in range(3)]

        answers = await asyncio.gather(*puts)

        assert sorted({answer.status for answer in answers} | {200}) == [200, 201, 409]
        assert [answer.status for answer in answers].count(201) == 1
        made = await api.sql("select id::text, type from conversations where external_id = $1", name)
        (kept,) = await api.sql(
            "select conversation_id::text, type from conversation_names where external_id = $1", name
        )
        assert [tuple(row) for row in made] == [tuple(kept)]


async def test_name_of_a_deleted_group__is_free(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name = new_name()
    place = PATH + quote(name, safe="")
    first = await host.made(name, ada, ben)
    await ada.delete(f"/v1/conversations/{first['id']}")
    assert (await host.call("GET", place)).status == 404
    second = await host.made(name, ada, ben)

    assert (await host.call("DELETE", place)).status == 204
    assert (await host.call("GET", place)).status == 404
    assert (await host.call("DELETE", place)).status == 404
    assert (await ben.call("GET", f"/v1/conversations/{second['id']}")).status == 404
    third = await host.made(name, ada, ben)
    assert len({each["id"] for each in (first, second, third)}) == 3


async def test_direct_one__is_not_deleted(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name = new_name()
    await host.made(name, ada, ben, kind="direct")
    assert (await host.call("DELETE", PATH + quote(name, safe=""))).status == 403


async def test_name__works_wherever_an_id_does__for_members_only(api: Api) -> None:
    host, (ada, ben, cyd) = Host.of(api), await api.users(3)
    name = new_name()
    made = await host.made(name, ada, ben)
    for colon in (":", "%3A"):
        place = f"/v1/conversations/external{colon}{quote(name, safe='')}"
        seen = await ada.get(place)
        assert seen["id"] == made["id"]
        assert "external_id" not in seen
        sent = await ben.post(f"{place}/messages", {"client_message_id": secrets.token_hex(8), "body": "hello"})
        assert (await ada.get(f"{place}/messages/{sent['id']}"))["body"] == "hello"
        assert (await ada.get(f"{place}/members"))["items"][0]["user"].keys() == ada.profile.model_dump().keys()
        assert (await cyd.call("GET", place)).status == 404
        assert (await cyd.call("GET", f"{place}/messages")).status == 404
    for unknown in ("external:nothing", "external:", "external:a%20b", "external:%00"):
        assert (await ada.call("GET", f"/v1/conversations/{unknown}")).status == 404
    assert (await ada.call("GET", "/v1/conversations/nothing")).status == 422
    assert (await api.service.call("GET", f"/v1/conversations/external:{quote(name, safe='')}")).status == 401


async def test_name_in_another_form__is_the_same(api: Api) -> None:
    host, ada = Host.of(api), await api.user()
    made = await host.made("caf\u00e9-" + (end := secrets.token_hex(4)), ada)
    again = await host.put(f"cafe\u0301-{end}", type="group")
    assert (again.status, again.body["id"]) == (200, made["id"])


# -- members


async def test_members__are_added_and_removed_one_by_one(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    name, called = new_name(), host.call_by_name(ben)
    made = await host.made(name, ada)
    place = f"{PATH}{quote(name, safe='')}/members/"
    await api.redis.subscribe(topology.user_channel(ben.id))

    added = await host.call("POST", place + quote(called, safe=":"))
    assert added.status == 200, added
    assert (added.body["user"]["id"], added.body["user"]["external_id"]) == (ben.id, called.removeprefix("external:"))
    assert (await host.call("POST", place + ben.id)).status == 200
    assert await roles(api, made["id"]) == {ada.id: "owner", ben.id: "member"}
    assert {event.conversation.id for event in api.redis.user_events(ben.id)} == {made["id"]}

    assert (await host.call("DELETE", place + ben.id)).status == 204
    assert (await host.call("DELETE", place + quote(called, safe=":"))).status == 204
    assert (await host.call("DELETE", place + new_id())).status == 404
    assert (await host.call("POST", place + new_id())).status == 404
    assert await roles(api, made["id"]) == {ada.id: "owner"}


async def test_members_of_a_direct_one__stay(api: Api) -> None:
    host, (ada, ben, cyd) = Host.of(api), await api.users(3)
    name = new_name()
    await host.made(name, ada, ben, kind="direct")
    for method, user in (("POST", cyd), ("DELETE", ben)):
        assert (await host.call(method, f"{PATH}{quote(name, safe='')}/members/{user.id}")).status == 403


async def test_group__has_a_bound(start_api: Start) -> None:
    async with start_api(group_members_max=2) as api:
        host, (ada, ben, cyd) = Host.of(api), await api.users(3)
        name = new_name()
        await host.made(name, ada, ben)
        assert fields(await host.put(name, type="group", member_ids=[ada.id, ben.id, cyd.id])) == ["member_ids"]
        added = await host.call("POST", f"{PATH}{quote(name, safe='')}/members/{cyd.id}")
        assert (added.status, added.body["error"]["code"]) == (409, "conflict")


# -- what a key sees and may


async def test_key__sees_a_conversation_as_nobody(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    host.call_by_name(ada)
    name = new_name()
    made = await host.made(name, ada, ben, kind="direct")
    await ada.send(made["id"])

    seen = (await host.call("GET", f"/v1/conversations/{made['id']}")).body

    assert seen == (await host.call("GET", PATH + quote(name, safe=""))).body
    assert [seen[key] for key in ("peer", "role", "me", "read_seq", "unread_count")] == [None, None, None, 0, 0]
    assert (seen["last_seq"], seen["last_message"]["body"], seen["external_id"]) == (1, "hello", name)
    assert {user["id"] for user in seen["members"]} == {ada.id, ben.id}
    assert {user["external_id"] for user in seen["members"]} == {api.auth.known[ada.id].external_id, None}
    group = await ada.group(ben)
    other = (await host.call("GET", f"/v1/conversations/{group['id']}")).body
    assert (other["external_id"], other["members"], other["title"]) == (None, None, "A group")
    assert (await host.call("GET", f"/v1/conversations/{new_id()}")).status == 404


async def test_key__reads_members_messages_pins_receipts_and_users(api: Api) -> None:
    host, (ada, ben) = Host.of(api), await api.users(2)
    host.call_by_name(ada)
    group = await ada.group(ben)
    place = f"/v1/conversations/{group['id']}"
    sent = [await ada.send(group["id"], f"message {n}") for n in range(3)]
    await ada.put(f"{place}/messages/{sent[0]['id']}/pin")
    await ben.post(f"{place}/read", {"seq": 2})

    async def items(path: str, **params: str) -> list[Json]:
        response = await host.call("GET", path, params=params)
        assert response.status == 200, response
        found: list[Json] = response.body["items"]
        return found

    assert {m["user"]["id"]: m["user"]["external_id"] for m in await items(f"{place}/members")} == {
        ada.id: api.auth.known[ada.id].external_id,
        ben.id: None,
    }
    assert [m["seq"] for m in await items(f"{place}/messages")] == [1, 2, 3]
    assert [m["seq"] for m in await items(f"{place}/messages", around_seq="2", limit="1")] == [2]
    assert [m["seq"] for m in await items(f"{place}/messages", around="first_unread", limit="1")] == [3]
    assert (await host.call("GET", f"{place}/messages/{sent[1]['id']}")).body["seq"] == 2
    assert [m["id"] for m in await items(f"{place}/pins")] == [sent[0]["id"]]
    assert {r["user_id"]: r["read"] for r in await items(f"{place}/receipts", seq="3")} == {ada.id: True, ben.id: False}
    assert [u["external_id"] for u in await items("/v1/users", ids=f"{ada.id},{ben.id}")] == [
        api.auth.known[ada.id].external_id,
        None,
    ]
    assert ada.id in [u["id"] for u in await items("/v1/users", search=ada.profile.username)]
    assert (await host.call("GET", f"/v1/users/{ada.id}")).body["external_id"] == api.auth.known[ada.id].external_id


async def test_key__needs_a_user_for_every_other_call(api: Api) -> None:
    host, (ada, ben) = Host.of(api, *Scope), await api.users(2)
    group = await ada.group(ben)
    place = f"/v1/conversations/{group['id']}"
    calls: list[tuple[str, str, Json | None]] = [
        ("GET", "/v1/conversations", None),
        ("POST", "/v1/conversations", {"type": "group", "title": "A", "member_ids": []}),
        ("PATCH", place, {"title": "A"}),
        ("DELETE", place, None),
        ("POST", f"{place}/members", {"user_ids": [ben.id]}),
        ("POST", f"{place}/messages", {"client_message_id": "a", "body": "a"}),
        ("POST", f"{place}/read", {"seq": 1}),
        ("GET", "/v1/users/me", None),
        ("POST", "/v1/sync", {"cursors": {}}),
    ]
    for method, path, body in calls:
        response = await host.call(method, path, body)
        assert fields(response) == ["X-SyncTalk-User"], (method, path)


async def test_calls__need_their_scopes_and_a_key(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    place = f"/v1/conversations/{group['id']}"
    needed = [
        (Scope.CONVERSATIONS, "PUT", PATH + "a", {"type": "group"}),
        (Scope.CONVERSATIONS, "GET", PATH + "a", None),
        (Scope.CONVERSATIONS, "DELETE", PATH + "a", None),
        (Scope.CONVERSATIONS, "POST", PATH + f"a/members/{ben.id}", None),
        (Scope.CONVERSATIONS, "GET", place, None),
        (Scope.CONVERSATIONS, "GET", f"{place}/members", None),
        (Scope.MESSAGES, "POST", PATH + f"{group['id']}/messages", {}),
        (Scope.MESSAGES, "GET", f"{place}/messages", None),
        (Scope.MESSAGES, "GET", f"{place}/pins", None),
        (Scope.USERS, "GET", f"/v1/users/{ben.id}", None),
    ]
    for scope, method, path, body in needed:
        lacking = await Host.of(api, *(each for each in Scope if each is not scope)).call(method, path, body)
        assert (lacking.status, lacking.body["error"]["details"]) == (403, {"scope": scope.value}), (method, path)
        if path.startswith(PATH):
            assert (await ada.call(method, path, body)).status == 403
            acting = await Host.of(api, *Scope).call(method, path, body, headers={"X-SyncTalk-User": ada.id})
            assert acting.status == 403
    assert (await api.service.call("GET", PATH + "a", token="stk_nothing")).status == 401


async def test_key__has_a_limit_of_its_own(start_api: Start) -> None:
    async with start_api(server_key_rate_per_s=0.001, server_key_burst=100) as api:
        host, ada = Host.of(api), await api.user()
        name = new_name()
        made = await host.made(name, ada)
        batch = {
            "messages": [{"sender": ada.id, "client_message_id": f"m{n}", "body": "a"} for n in range(99)],
        }
        path = f"{PATH}{made['id']}/messages"
        assert (await host.call("POST", path, batch)).status == 200
        refused = await host.call("GET", PATH + quote(name, safe=""))
        assert (refused.status, refused.body["error"]["details"]) == (429, {"limit": "server_key"})
        assert (await Host.of(api).call("GET", PATH + quote(name, safe=""))).status == 200
