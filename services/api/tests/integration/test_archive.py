"""Groups that are archived, where only admins send, and where members wait between two messages."""

import asyncio
import secrets
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from synctalk_contracts.commands import AnyCommand, SendMessage
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Api, Json, User

Calls = dict[str, Coroutine[Any, Any, Response]]


def place(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}"


async def with_roles(api: Api) -> tuple[Json, dict[str, User]]:
    users = dict(zip(("owner", "admin", "moderator", "member"), await api.users(4), strict=True))
    group = await users["owner"].group(*users.values())
    for role in ("admin", "moderator"):
        await users["owner"].patch(f"{place(group)}/members/{users[role].id}", {"role": role})
    return group, users


async def say(user: User, group: Json, body: str = "hello", **fields: object) -> Response:
    message = {"client_message_id": secrets.token_hex(8), "body": body, **fields}
    return await user.call("POST", f"{place(group)}/messages", message)


async def test_archive__who_may(api: Api) -> None:
    group, users = await with_roles(api)
    eve = await api.user()
    direct = await eve.direct(users["owner"])

    for method in ("PUT", "DELETE"):
        assert (await eve.call(method, f"{place(group)}/archive")).status == 404
        assert (await eve.call(method, f"{place(direct)}/archive")).status == 403
        for role, status in (("member", 403), ("moderator", 403), ("admin", 204), ("owner", 204)):
            assert (await users[role].call(method, f"{place(group)}/archive")).status == status


async def test_archive__takes_a_change_once_and_comes_live_and_by_sync(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])

    for _ in range(2):
        assert (await ada.call("PUT", f"{place(group)}/archive")).status == 204
    archived = await ben.get(place(group))
    for _ in range(2):
        assert (await ada.call("DELETE", f"{place(group)}/archive")).status == 204

    await eventually(lambda: len(api.redis.room_events(group["id"])) == 2)
    first, second = api.redis.room_events(group["id"])
    assert [(event.event, event.change_seq) for event in (first, second)] == [
        ("conversation:updated", 2),
        ("conversation:updated", 3),
    ]
    assert (first.payload["archived_at"], second.payload["archived_at"]) == (archived["archived_at"], None)
    assert archived["archived_at"] is not None
    state = (await ben.post("/v1/sync", {"cursors": {group["id"]: 1}}))["conversations"][group["id"]]
    assert (state["change_seq"], state["conversation"]) == (3, await ben.get(place(group)))


async def test_archived__nothing_in_it_changes(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben)
    message = await ada.send(group["id"])
    own = f"{place(group)}/messages/{message['id']}"
    await ada.call("PUT", f"{own}/reactions/👍")
    await ada.call("PUT", f"{place(group)}/archive")
    before = await ada.get(place(group))

    calls: Calls = {
        "send": say(ada, group),
        "edit": ada.call("PATCH", own, {"body": "else"}),
        "react": ben.call("PUT", f"{own}/reactions/👍"),
        "take back": ada.call("DELETE", f"{own}/reactions/👍"),
        "add": ben.call("POST", f"{place(group)}/members", {"user_ids": [cleo.id]}),
        "role": ada.call("PATCH", f"{place(group)}/members/{ben.id}", {"role": "admin"}),
        "mute": ada.call("PUT", f"{place(group)}/members/{ben.id}/mute", {"until": None}),
        "title": ada.call("PATCH", place(group), {"title": "Other"}),
        "visibility": ada.call("PATCH", place(group), {"visibility": "public"}),
        "posting": ada.call("PATCH", place(group), {"posting": "admins"}),
        "invite": ada.call("POST", f"{place(group)}/invites", {}),
    }
    refused = {name: await call for name, call in calls.items()}

    details = {"archived_at": before["archived_at"]}
    answers = {name: (r.status, r.code, r.body["error"]["details"]) for name, r in refused.items()}
    assert answers == dict.fromkeys(refused, (403, "forbidden", details))
    assert await ada.get(place(group)) == before
    asked = {"user_id": ben.id, "conversation_id": group["id"]}
    typing = (await api.internal("POST", "/internal/typing", asked)).body
    assert (typing["refusal"]["details"], typing["until"]) == (details, None)


async def test_archived__what_goes_on(api: Api) -> None:
    ada, ben, cleo, dan = await api.users(4)
    group = await ada.group(ben, cleo, dan)
    body = {"client_message_id": "once", "body": "hello"}
    message = await ada.post(f"{place(group)}/messages", body)
    await ada.call("PUT", f"{place(group)}/archive")

    calls: Calls = {
        "read": ben.call("GET", f"{place(group)}/messages"),
        "mark": ben.call("POST", f"{place(group)}/read", {"seq": 1}),
        "repeat": ada.call("POST", f"{place(group)}/messages", body),
        "delete": ada.call("DELETE", f"{place(group)}/messages/{message['id']}"),
        "leave": ben.call("DELETE", f"{place(group)}/members/{ben.id}"),
        "remove": ada.call("DELETE", f"{place(group)}/members/{cleo.id}"),
        "ban": ada.call("PUT", f"{place(group)}/bans/{dan.id}", {}),
    }

    assert {name: (await call).status for name, call in calls.items()} == {
        "read": 200,
        "mark": 204,
        "repeat": 200,
        "delete": 204,
        "leave": 204,
        "remove": 204,
        "ban": 204,
    }


async def test_archived__public__is_not_listed_and_lets_nobody_in(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    mark = f"mark{secrets.token_hex(6)}"
    body = {"type": "group", "title": mark, "member_ids": [ben.id], "visibility": "public"}
    group = await ada.post("/v1/conversations", body)
    invite = await ada.post(f"{place(group)}/invites", {})
    await ada.call("PUT", f"{place(group)}/archive")

    assert (await cleo.get("/v1/channels", params={"search": mark}))["items"] == []
    joined = await cleo.call("POST", f"{place(group)}/join")
    assert (joined.status, list(joined.body["error"]["details"])) == (403, ["archived_at"])
    assert (await ben.call("POST", f"{place(group)}/join")).status == 200
    assert (await api.service.call("GET", f"/v1/invites/{invite['code']}")).status == 404
    assert (await cleo.call("POST", f"/v1/invites/{invite['code']}/accept")).status == 404
    use = {"code": invite["code"], "user_id": cleo.id}
    assert (await api.internal("POST", "/internal/invites/use", use)).status == 404
    await ada.call("DELETE", f"{place(group)}/archive")
    assert (await cleo.call("POST", f"/v1/invites/{invite['code']}/accept")).status == 200


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"posting": "nobody"}, "posting"),
        ({"posting": None}, "posting"),
        ({"slow_mode_s": -1}, "slow_mode_s"),
        ({"slow_mode_s": 21_601}, "slow_mode_s"),
        ({"slow_mode_s": "5"}, "slow_mode_s"),
        ({"slow_mode_s": None}, "slow_mode_s"),
        ({"archived_at": None}, "archived_at"),
    ],
)
async def test_settings__bad_input__is_refused(api: Api, fields: Json, field: str) -> None:
    ada = await api.user()
    group = await ada.group()

    begun = await ada.call("POST", "/v1/conversations", {"type": "group", "title": "x", "member_ids": [], **fields})

    assert begun.fields == (await ada.call("PATCH", place(group), fields)).fields == {field}


@pytest.mark.parametrize("fields", [{"posting": "everyone"}, {"slow_mode_s": 0}])
async def test_settings__of_a_direct_conversation__are_refused(api: Api, fields: Json) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)

    begun = await ada.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [ben.id], **fields})

    assert begun.fields == (await ada.call("PATCH", place(direct), fields)).fields == set(fields)


async def test_settings__are_a_moderators_to_change(api: Api) -> None:
    group, users = await with_roles(api)
    fields = {"posting": "admins", "slow_mode_s": 21_600, "description": "Rules"}

    assert (await users["member"].call("PATCH", place(group), fields)).status == 403
    assert (await users["moderator"].call("PATCH", place(group), fields | {"title": "x"})).status == 403
    changed = await users["moderator"].patch(place(group), fields)

    assert {name: changed[name] for name in fields} == fields
    body = {"type": "group", "title": "x", "member_ids": [], **fields}
    begun = await users["member"].post("/v1/conversations", body)
    assert {name: begun[name] for name in fields} == fields


async def test_posting__of_admins__lets_moderators_and_up_send(api: Api) -> None:
    group, users = await with_roles(api)
    own = (await say(users["member"], group)).body
    await users["admin"].patch(place(group), {"posting": "admins"})

    sent = {role: await say(user, group) for role, user in users.items()}

    assert {role: response.status for role, response in sent.items()} == {
        "owner": 201,
        "admin": 201,
        "moderator": 201,
        "member": 403,
    }
    assert sent["member"].code == "forbidden"
    member, path = users["member"], f"{place(group)}/messages/{own['id']}"
    assert (await member.call("PUT", f"{path}/reactions/👍")).status == 204
    assert (await member.call("PATCH", path, {"body": "else"})).status == 200
    assert (await member.call("DELETE", path)).status == 204
    reply = await member.call("POST", f"{place(group)}/messages", {"client_message_id": "a", "body": "x"})
    assert reply.status == 403


async def test_slow_mode__lets_members_wait_and_nobody_else(api: Api) -> None:
    group, users = await with_roles(api)
    await users["moderator"].patch(place(group), {"slow_mode_s": 60})

    for role in ("owner", "admin", "moderator"):
        assert [(await say(users[role], group)).status for _ in range(2)] == [201, 201]
    first, second = await say(users["member"], group), await say(users["member"], group)

    assert (first.status, second.status, second.code) == (201, 429, "rate_limited")
    assert 50 < second.body["error"]["retry_after"] <= 60
    assert int(second.headers["Retry-After"]) > 50
    path = f"{place(group)}/messages/{first.body['id']}"
    assert (await users["member"].call("PATCH", path, {"body": "else"})).status == 200
    again = {"client_message_id": first.body["client_message_id"], "body": "hello"}
    repeated = await users["member"].call("POST", f"{place(group)}/messages", again)
    assert (repeated.status, repeated.body["id"]) == (200, first.body["id"])


async def test_slow_mode__is_by_conversation_and_ends(api: Api) -> None:
    ada, ben = await api.users(2)
    groups = [await ada.group(ben) for _ in range(2)]
    await ada.patch(place(groups[0]), {"slow_mode_s": 1})

    assert [(await say(ben, group)).status for group in groups * 2] == [201, 201, 429, 201]
    waited = (await say(ben, groups[0])).body["error"]["retry_after"]
    await asyncio.sleep(waited)
    assert (await say(ben, groups[0])).status == 201
    await ada.patch(place(groups[0]), {"slow_mode_s": 0})
    assert (await say(ben, groups[0])).status == 201


async def test_slow_mode__a_refused_message__starts_no_wait(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await ada.patch(place(group), {"slow_mode_s": 60})

    assert (await say(ben, group, reply_to=ben.id)).status == 422
    assert (await say(ben, group)).status == 201


async def test_slow_mode__many_in_one_batch__lets_one_through(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    await ada.patch(place(group), {"slow_mode_s": 60})
    command: Callable[[User], AnyCommand] = lambda user: SendMessage(  # noqa: E731
        conversation_id=group["id"], user_id=user.id, client_message_id=secrets.token_hex(8), body="x"
    )

    replies = await api.commands([command(user) for user in (ben, ben, cleo, ada, ben, ada)])

    assert [reply["error"] and reply["error"]["code"] for reply in replies] == [
        None,
        "rate_limited",
        None,
        None,
        "rate_limited",
        None,
    ]
    assert [m["seq"] for m in (await ada.get(f"{place(group)}/messages"))["items"]] == [1, 2, 3, 4]
