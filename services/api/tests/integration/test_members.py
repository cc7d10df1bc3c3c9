"""`/v1/conversations/{id}/members`: who may do what, and what is published."""

import asyncio

import pytest
from synctalk_contracts import topology
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, Start, User


def members(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}/members"


async def roles(user: User, group: Json) -> dict[str, str]:
    return {item["user"]["id"]: item["role"] for item in await user.list(members(group), 100)}


async def test_members__for_an_unrelated_user__are_not_there(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group = await ada.group(ben)

    responses = [
        await eve.call("GET", members(group)),
        await eve.call("POST", members(group), {"user_ids": [eve.id]}),
        await eve.call("PATCH", f"{members(group)}/{ben.id}", {"role": "admin"}),
        await eve.call("DELETE", f"{members(group)}/{ben.id}"),
        await eve.call("DELETE", f"{members(group)}/{eve.id}"),
    ]

    assert {(response.status, response.code) for response in responses} == {(404, "not_found")}


async def test_members__of_a_direct_conversation__are_fixed(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    direct = await ada.direct(ben)

    responses = [
        await ada.call("POST", members(direct), {"user_ids": [eve.id]}),
        await ada.call("PATCH", f"{members(direct)}/{ben.id}", {"role": "admin"}),
        await ada.call("DELETE", f"{members(direct)}/{ben.id}"),
        await ada.call("DELETE", f"{members(direct)}/{ada.id}"),
    ]

    assert {(response.status, response.code) for response in responses} == {(403, "forbidden")}


@pytest.mark.parametrize(
    ("actor", "target", "status"),
    [
        ("member", "member2", 403),
        ("member", "admin", 403),
        ("member", "owner", 403),
        ("admin", "admin2", 403),
        ("admin", "owner", 403),
        ("admin", "member", 204),
        ("owner", "member", 204),
        ("owner", "admin", 204),
        ("moderator", "member", 403),
        ("admin", "moderator", 204),
    ],
)
async def test_remove__who_may_whom(api: Api, actor: str, target: str, status: int) -> None:
    users = dict(zip(("owner", "admin", "admin2", "moderator", "member", "member2"), await api.users(6), strict=True))
    group = await users["owner"].group(*users.values())
    for name, role in (("admin", "admin"), ("admin2", "admin"), ("moderator", "moderator")):
        await users["owner"].patch(f"{members(group)}/{users[name].id}", {"role": role})

    response = await users[actor].call("DELETE", f"{members(group)}/{users[target].id}")

    assert response.status == status
    assert (users[target].id in await roles(users[actor], group)) == (status == 403)


@pytest.mark.parametrize("actor", ["admin", "member"])
async def test_set_role__by_another_than_the_owner__is_refused(api: Api, actor: str) -> None:
    users = dict(zip(("owner", "admin", "member"), await api.users(3), strict=True))
    group = await users["owner"].group(*users.values())
    await users["owner"].patch(f"{members(group)}/{users['admin'].id}", {"role": "admin"})

    response = await users[actor].call("PATCH", f"{members(group)}/{users['member'].id}", {"role": "admin"})

    assert (response.status, response.code) == (403, "forbidden")


async def test_set_role__of_nobody_or_to_nonsense__is_refused(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group = await ada.group(ben)

    nobody = await ada.call("PATCH", f"{members(group)}/{eve.id}", {"role": "admin"})
    nonsense = await ada.call("PATCH", f"{members(group)}/{ben.id}", {"role": "king"})
    own = await ada.call("PATCH", f"{members(group)}/{ada.id}", {"role": "member"})

    assert (nobody.status, own.status) == (404, 409)
    assert nonsense.fields == {"role"}


async def test_add__unknown_users__adds_none(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()

    response = await ada.call("POST", members(group), {"user_ids": [ben.id, group["id"]]})
    empty = await ada.call("POST", members(group), {"user_ids": []})

    assert response.fields == empty.fields == {"user_ids"}
    assert list(await roles(ada, group)) == [ada.id]


async def test_add__beyond_the_bound__adds_none(start_api: Start) -> None:
    async with start_api(group_members_max=3) as api:
        ada, ben, *others = await api.users(4)
        group = await ada.group(ben)

        response = await ada.call("POST", members(group), {"user_ids": [other.id for other in others]})

        assert (response.status, response.code) == (409, "conflict")
        assert len(await roles(ada, group)) == 2


async def test_add__each_takes_a_change_and_is_published(api: Api) -> None:
    ada, ben, cleo, dan = await api.users(4)
    group = await ada.group(ben)
    await api.subscribe(group["id"])
    await api.redis.subscribe(topology.user_channel(cleo.id), topology.user_channel(ben.id))

    response = await ben.post(members(group), {"user_ids": [cleo.id, dan.id, ada.id, cleo.id]})

    assert [(item["user"]["id"], item["role"]) for item in response["items"]] == [
        (cleo.id, "member"),
        (dan.id, "member"),
        (ada.id, "owner"),
    ]
    await eventually(lambda: len(api.redis.room_events(group["id"])) == 2)
    events = api.redis.room_events(group["id"])
    assert [(event.event, event.user_id, event.change_seq) for event in events] == [
        ("member:changed", cleo.id, 2),
        ("member:changed", dan.id, 3),
    ]
    assert events[0].payload == {
        "conversation_id": group["id"],
        "user_id": cleo.id,
        "role": "member",
        "change_seq": 2,
        "muted_until": None,
    }
    await eventually(lambda: api.redis.user_events(cleo.id))
    (new,) = api.redis.user_events(cleo.id)
    assert new.conversation.model_dump(mode="json") == await cleo.get(f"/v1/conversations/{group['id']}")
    assert new.conversation.members_count == 4
    assert api.redis.user_events(ben.id) == []


async def test_add__members_again__changes_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)

    await ada.post(members(group), {"user_ids": [ben.id]})

    assert (await ada.get(f"/v1/conversations/{group['id']}"))["change_seq"] == 1


async def test_add__one_who_was_gone__reads_on_where_they_were(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    for _ in range(3):
        await ada.send(group["id"])
    await ben.post(f"/v1/conversations/{group['id']}/read", {"seq": 2})
    await ada.delete(f"{members(group)}/{ben.id}")

    await ada.post(members(group), {"user_ids": [ben.id]})

    seen = await ben.get(f"/v1/conversations/{group['id']}")
    assert (seen["read_seq"], seen["unread_count"], seen["members_count"]) == (2, 1, 2)
    assert len((await ben.get(f"/v1/conversations/{group['id']}/messages"))["items"]) == 3


async def test_add__by_two_at_once__numbers_have_no_gap(api: Api) -> None:
    ada, ben, *others = await api.users(12)
    group = await ada.group(ben)
    await api.subscribe(group["id"])

    await asyncio.gather(
        *(user.post(members(group), {"user_ids": [o.id for o in others[:7]]}) for user in (ada, ben)),
        ada.post(members(group), {"user_ids": [o.id for o in others[5:]]}),
    )

    await eventually(lambda: len(api.redis.room_events(group["id"])) == 10)
    assert sorted(event.change_seq or 0 for event in api.redis.room_events(group["id"])) == list(range(2, 12))
    assert (await ada.get(f"/v1/conversations/{group['id']}"))["members_count"] == 12


async def test_remove__again__is_answered_alike_and_changes_nothing(api: Api) -> None:
    ada, ben, cleo, eve = await api.users(4)
    group = await ada.group(ben, cleo)
    await ada.delete(f"{members(group)}/{ben.id}")
    await cleo.delete(f"{members(group)}/{cleo.id}")

    by_owner = await ada.call("DELETE", f"{members(group)}/{ben.id}")
    by_leaver = await cleo.call("DELETE", f"{members(group)}/{cleo.id}")
    never_in = await ada.call("DELETE", f"{members(group)}/{eve.id}")

    assert (by_owner.status, by_leaver.status, never_in.status) == (204, 204, 404)
    seen = await ada.get(f"/v1/conversations/{group['id']}")
    assert (seen["change_seq"], seen["members_count"]) == (3, 1)


async def test_remove__is_published_to_the_room_as_a_member_without_role(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])

    await ada.delete(f"{members(group)}/{ben.id}")

    await eventually(lambda: api.redis.room_events(group["id"]))
    (event,) = api.redis.room_events(group["id"])
    assert (event.event, event.user_id, event.payload["role"]) == ("member:changed", ben.id, None)
    assert (await ben.call("GET", f"/v1/conversations/{group['id']}")).status == 404
    assert (await ben.get("/v1/conversations"))["items"] == []


async def test_set_role__owner__makes_the_giver_an_admin(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])

    changed = await ada.patch(f"{members(group)}/{ben.id}", {"role": "owner"})

    assert changed["role"] == "owner"
    assert await roles(ada, group) == {ada.id: "admin", ben.id: "owner"}
    await eventually(lambda: len(api.redis.room_events(group["id"])) == 2)
    assert [event.change_seq for event in api.redis.room_events(group["id"])] == [2, 3]


async def test_leave__by_the_owner__hands_on_to_the_earliest_admin(api: Api) -> None:
    ada, ben, cleo, dan = await api.users(4)
    group = await ada.group(ben)
    await ada.post(members(group), {"user_ids": [cleo.id]})
    await ada.post(members(group), {"user_ids": [dan.id]})
    for admin in (dan, cleo):
        await ada.patch(f"{members(group)}/{admin.id}", {"role": "admin"})

    await ada.delete(f"{members(group)}/{ada.id}")

    assert await roles(ben, group) == {ben.id: "member", cleo.id: "owner", dan.id: "admin"}


async def test_leave__by_the_last__leaves_it_empty(api: Api) -> None:
    ada = await api.user()
    group = await ada.group()

    await ada.delete(f"{members(group)}/{ada.id}")

    assert (await ada.call("GET", f"/v1/conversations/{group['id']}")).status == 404
