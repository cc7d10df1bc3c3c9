"""Bans and mutes: who may whom, what they keep from whom, and what is published."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from synctalk_contracts.commands import AddReaction, SendMessage
from synctalk_contracts.ids import format_time
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, User

FUTURE = "2199-01-01T00:00:00.000Z"
ROLES = ("owner", "admin", "moderator", "member")


def bans(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}/bans"


def mute(conversation: Json, user: User) -> str:
    return f"/v1/conversations/{conversation['id']}/members/{user.id}/mute"


def members(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}/members"


async def a_group(api: Api) -> tuple[Json, dict[str, User]]:
    """Return a group with two of each role but the owner, by name: `admin`, `admin2` …"""
    names = ("owner", "admin", "admin2", "moderator", "moderator2", "member", "member2")
    users = dict(zip(names, await api.users(len(names)), strict=True))
    group = await users["owner"].group(*users.values())
    for name in names[1:5]:
        await users["owner"].patch(f"{members(group)}/{users[name].id}", {"role": name.rstrip("2")})
    return group, users


async def member(user: User, group: Json, of: User) -> Json:
    (found,) = [item for item in await user.list(members(group), 100) if item["user"]["id"] == of.id]
    item: Json = found
    return item


@pytest.mark.parametrize("what", ["ban", "mute"])
@pytest.mark.parametrize(
    ("actor", "target", "allowed"),
    [
        ("member", "member2", False),
        ("member", "member", False),
        ("moderator", "member", True),
        ("moderator", "moderator2", False),
        ("moderator", "moderator", False),
        ("moderator", "admin", False),
        ("moderator", "owner", False),
        ("admin", "moderator", True),
        ("admin", "admin2", False),
        ("admin", "owner", False),
        ("owner", "admin", True),
        ("owner", "owner", False),
    ],
)
async def test_moderate__who_may_whom(api: Api, what: str, actor: str, target: str, allowed: bool) -> None:
    group, users = await a_group(api)
    path = f"{bans(group)}/{users[target].id}" if what == "ban" else mute(group, users[target])

    response = await users[actor].call("PUT", path, {"until": FUTURE})

    assert response.status == (204 if allowed else 403)


async def test_moderate__for_an_unrelated_user__is_not_there(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group = await ada.group(ben)

    responses = [
        await eve.call("GET", bans(group)),
        await eve.call("PUT", f"{bans(group)}/{ben.id}", {}),
        await eve.call("DELETE", f"{bans(group)}/{ben.id}"),
        await eve.call("PUT", mute(group, ben), {"until": None}),
        await eve.call("DELETE", mute(group, ben)),
    ]

    assert {(response.status, response.code) for response in responses} == {(404, "not_found")}


async def test_moderate__in_a_direct_conversation__is_refused(api: Api) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)

    responses = [
        await ada.call("GET", bans(direct)),
        await ada.call("PUT", f"{bans(direct)}/{ben.id}", {}),
        await ada.call("DELETE", f"{bans(direct)}/{ben.id}"),
        await ada.call("PUT", mute(direct, ben), {"until": None}),
        await ada.call("DELETE", mute(direct, ben)),
    ]

    assert {(response.status, response.code) for response in responses} == {(403, "forbidden")}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"until": "2020-01-01T00:00:00Z"}, "until"),
        ({"until": "soon"}, "until"),
        ({"until": 5}, "until"),
        ({"reason": "x" * 501}, "reason"),
        ({"reason": "\0"}, "reason"),
        ({"reason": None}, "reason"),
        ({"why": "x"}, "why"),
    ],
)
async def test_ban__bad_input__is_refused(api: Api, body: Json, field: str) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)

    response = await ada.call("PUT", f"{bans(group)}/{ben.id}", body)

    assert (response.status, response.fields) == (422, {field})
    assert (await ada.get(bans(group)))["items"] == []


async def test_ban__of_nobody__is_not_found(api: Api) -> None:
    ada = await api.user()
    group = await ada.group()

    assert (await ada.call("PUT", f"{bans(group)}/{new_id()}", {})).status == 404
    assert (await ada.call("PUT", f"{bans(group)}/nonsense", {})).status == 422


async def test_ban__of_a_member__removes_and_keeps_out(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    await api.subscribe(group["id"])

    await ada.call("PUT", f"{bans(group)}/{ben.id}", {"reason": "x" * 500})

    await eventually(lambda: api.redis.room_events(group["id"]))
    (event,) = api.redis.room_events(group["id"])
    assert (event.event, event.change_seq, event.payload["user_id"]) == ("member:changed", 2, ben.id)
    assert event.payload["role"] is None
    assert (await ben.call("GET", f"/v1/conversations/{group['id']}")).status == 404
    synced = await ben.post("/v1/sync", {"cursors": {group["id"]: 1}})
    assert synced["conversations"][group["id"]] == {"removed": True}
    assert (await ada.get(f"/v1/conversations/{group['id']}"))["members_count"] == 2

    dan = await api.user("Dan")
    response = await cleo.call("POST", members(group), {"user_ids": [dan.id, ben.id]})
    assert (response.status, response.code) == (403, "forbidden")
    assert response.body["error"]["details"] == {"user_ids": [ben.id]}
    assert dan.id not in {item["user"]["id"] for item in await ada.list(members(group), 100)}


async def test_ban__again__replaces_reason_and_end_and_is_no_change(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    await ada.patch(f"{members(group)}/{cleo.id}", {"role": "moderator"})
    await ada.call("PUT", f"{bans(group)}/{ben.id}", {"reason": "one"})
    (first,) = (await ada.get(bans(group)))["items"]

    await cleo.call("PUT", f"{bans(group)}/{ben.id}", {"reason": "two", "until": FUTURE})

    (second,) = (await ada.get(bans(group)))["items"]
    assert first == {
        "user": ben.profile.model_dump(),
        "by": ada.id,
        "reason": "one",
        "until": None,
        "created_at": first["created_at"],
    }
    assert second == first | {"reason": "two", "until": FUTURE}
    assert (await ada.get(f"/v1/conversations/{group['id']}"))["change_seq"] == 3


async def test_ban__of_who_was_never_a_member__keeps_out(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()
    unknown = await api.user("Eve", introduced=False)

    for user in (ben, unknown):
        assert (await ada.call("PUT", f"{bans(group)}/{user.id}", {})).status == 204

    assert (await ada.call("POST", members(group), {"user_ids": [ben.id]})).status == 403
    assert {item["user"]["id"] for item in await ada.list(bans(group), 1)} == {ben.id, unknown.id}
    assert (await ada.get(f"/v1/conversations/{group['id']}"))["change_seq"] == 1


async def test_ban__lifted_or_over__lets_in_and_puts_nobody_back(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    await ada.call("PUT", f"{bans(group)}/{ben.id}", {})
    await ada.call("PUT", f"{bans(group)}/{cleo.id}", {"until": format_time(utc_now() + timedelta(seconds=0.5))})

    for _ in range(2):
        assert (await ada.call("DELETE", f"{bans(group)}/{ben.id}")).status == 204
    await asyncio.sleep(0.6)

    assert (await ada.get(bans(group)))["items"] == []
    assert [item["user"]["id"] for item in await ada.list(members(group), 100)] == [ada.id]
    await ada.post(members(group), {"user_ids": [ben.id, cleo.id]})
    assert (await ada.get(f"/v1/conversations/{group['id']}"))["members_count"] == 3


async def test_bans__by_a_member__are_not_shown(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)

    assert (await ben.call("GET", bans(group))).status == 403
    assert (await ben.call("DELETE", f"{bans(group)}/{ada.id}")).status == 403


async def test_ban__while_being_added__never_leaves_a_banned_member(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    for _ in range(5):
        group = await ada.group(cleo)
        await asyncio.gather(
            ada.call("PUT", f"{bans(group)}/{ben.id}", {}),
            cleo.call("POST", members(group), {"user_ids": [ben.id]}),
        )

        assert ben.id not in {item["user"]["id"] for item in await ada.list(members(group), 100)}


@pytest.mark.parametrize("body", [{"until": "2020-01-01T00:00:00Z"}, {"until": "never"}, {}])
async def test_mute__bad_input__is_refused(api: Api, body: Json) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)

    response = await ada.call("PUT", mute(group, ben), body)

    assert (response.status, response.fields) == (422, {"until"})


async def test_mute__of_no_member__is_not_found(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(cleo)
    await ada.call("DELETE", f"{members(group)}/{cleo.id}")

    for user in (ben, cleo):
        assert (await ada.call("PUT", mute(group, user), {"until": None})).status == 404
        assert (await ada.call("DELETE", mute(group, user))).status == 404


async def test_mute__stops_writing_and_nothing_else(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben)
    path = f"/v1/conversations/{group['id']}"
    first, second = await ben.send(group["id"], "one"), await ben.send(group["id"], "two")
    await ben.call("PUT", f"{path}/messages/{first['id']}/reactions/👍")

    assert (await ada.call("PUT", mute(group, ben), {"until": FUTURE})).status == 204

    stopped = [
        await ben.call("POST", f"{path}/messages", {"client_message_id": "a", "body": "three"}),
        await ben.call("PATCH", f"{path}/messages/{first['id']}", {"body": "else"}),
        await ben.call("PUT", f"{path}/messages/{first['id']}/reactions/❤️"),
        await ben.call("DELETE", f"{path}/messages/{first['id']}/reactions/👍"),
        await ben.call("POST", members(group), {"user_ids": [cleo.id]}),
    ]
    assert {(r.status, r.code, r.body["error"]["details"]["until"]) for r in stopped} == {(403, "forbidden", FUTURE)}
    assert (await ben.get(f"{path}/messages"))["items"][0]["body"] == "one"
    assert (await ben.call("POST", f"{path}/read", {"seq": 2})).status == 204
    assert (await ben.call("DELETE", f"{path}/messages/{second['id']}")).status == 204
    assert (await ben.call("DELETE", f"{members(group)}/{ben.id}")).status == 204


async def test_mute__over_sockets__is_the_same(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    message = await ada.send(group["id"])
    await ada.call("PUT", mute(group, ben), {"until": FUTURE})

    send = SendMessage(conversation_id=group["id"], user_id=ben.id, client_message_id="a", body="hello")
    react = AddReaction(conversation_id=group["id"], user_id=ben.id, message_id=message["id"], emoji="👍")
    replies = await api.commands([send, react, send])

    assert [(r["error"]["code"], r["error"]["details"]) for r in replies] == [("forbidden", {"until": FUTURE})] * 3
    state = (await api.internal("POST", "/internal/typing", {"user_id": ben.id, "conversation_id": group["id"]})).body
    assert (state["members_count"], state["refusal"]["code"], state["until"]) == (2, "forbidden", FUTURE)


async def test_typing__of_a_member_and_of_an_unrelated_user(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group = await ada.group(ben)

    def asked(user: User) -> Json:
        return {"user_id": user.id, "conversation_id": group["id"]}

    may = await api.internal("POST", "/internal/typing", asked(ben))
    may_not = await api.internal("POST", "/internal/typing", asked(eve))

    assert may.body == {"members_count": 2, "refusal": None, "until": None}
    assert may_not.body["refusal"]["code"] == "not_found"


async def test_mute__a_message_sent_before__is_answered_again(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    body = {"client_message_id": "a", "body": "hello"}
    sent = await ben.post(f"/v1/conversations/{group['id']}/messages", body)
    await ada.call("PUT", mute(group, ben), {"until": None})

    again = await ben.call("POST", f"/v1/conversations/{group['id']}/messages", body)

    assert (again.status, again.body) == (200, sent)


async def test_mute__takes_a_change_once_and_comes_live_and_by_sync(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])

    for _ in range(2):
        assert (await ada.call("PUT", mute(group, ben), {"until": None})).status == 204
    for _ in range(2):
        assert (await ada.call("DELETE", mute(group, ben))).status == 204
    until = format_time(utc_now() + timedelta(hours=1))
    await ada.call("PUT", mute(group, ben), {"until": until})

    await eventually(lambda: len(api.redis.room_events(group["id"])) == 3)
    events = api.redis.room_events(group["id"])
    assert [(event.event, event.change_seq, event.payload["muted_until"]) for event in events] == [
        ("member:changed", 2, "9999-12-31T23:59:59.999Z"),
        ("member:changed", 3, None),
        ("member:changed", 4, until),
    ]
    assert [event.payload["role"] for event in events] == ["member"] * 3
    state = (await ben.post("/v1/sync", {"cursors": {group["id"]: 1}}))["conversations"][group["id"]]
    fresh = await member(ada, group, ben)
    assert state["members"] == [fresh | {"change_seq": 4}]
    assert fresh["muted_until"] == until


async def test_mute__leaving_and_coming_back__is_no_way_out_of_it(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await ada.call("PUT", mute(group, ben), {"until": FUTURE})
    await ben.call("DELETE", f"{members(group)}/{ben.id}")

    await ada.post(members(group), {"user_ids": [ben.id]})

    assert (await member(ada, group, ben))["muted_until"] == FUTURE


async def test_mute__over__lets_write_again(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    until = datetime.now(UTC) + timedelta(seconds=1)
    await ada.call("PUT", mute(group, ben), {"until": format_time(until)})
    body = {"client_message_id": "a", "body": "hello"}
    refused = await ben.call("POST", f"/v1/conversations/{group['id']}/messages", body)
    await asyncio.sleep((until - datetime.now(UTC)).total_seconds() + 0.01)

    assert refused.status == 403
    assert (await ben.call("POST", f"/v1/conversations/{group['id']}/messages", body)).status == 201


async def test_mute__of_a_successor__ends(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    for user in (ben, cleo):
        await ada.call("PUT", mute(group, user), {"until": None})

    await ada.patch(f"{members(group)}/{ben.id}", {"role": "owner"})
    assert (await member(ada, group, ben))["muted_until"] is None
    await ada.call("DELETE", f"{members(group)}/{ada.id}")
    await ben.call("DELETE", f"{members(group)}/{ben.id}")

    assert {key: (await member(cleo, group, cleo))[key] for key in ("role", "muted_until")} == {
        "role": "owner",
        "muted_until": None,
    }
