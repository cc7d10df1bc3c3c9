"""`/v1/conversations/{id}/members`: who may what, and what the others hear of it."""

import asyncio

import pytest
from synctalk_contracts import topology
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, Person, Start


def members(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}/members"


async def roles(person: Person, group: Json) -> dict[str, str]:
    return {item["user"]["id"]: item["role"] for item in await person.walk(members(group), 100)}


async def test_members__for_a_stranger__are_not_there(api: Api) -> None:
    ada, ben, eve = await api.people(3)
    group = await ada.group(ben)

    answers = [
        await eve.call("GET", members(group)),
        await eve.call("POST", members(group), {"user_ids": [eve.id]}),
        await eve.call("PATCH", f"{members(group)}/{ben.id}", {"role": "admin"}),
        await eve.call("DELETE", f"{members(group)}/{ben.id}"),
        await eve.call("DELETE", f"{members(group)}/{eve.id}"),
    ]

    assert {(answer.status, answer.code) for answer in answers} == {(404, "not_found")}


async def test_members__of_a_direct_conversation__are_fixed(api: Api) -> None:
    ada, ben, eve = await api.people(3)
    direct = await ada.direct(ben)

    answers = [
        await ada.call("POST", members(direct), {"user_ids": [eve.id]}),
        await ada.call("PATCH", f"{members(direct)}/{ben.id}", {"role": "admin"}),
        await ada.call("DELETE", f"{members(direct)}/{ben.id}"),
        await ada.call("DELETE", f"{members(direct)}/{ada.id}"),
    ]

    assert {(answer.status, answer.code) for answer in answers} == {(403, "forbidden")}


@pytest.mark.parametrize(
    ("asker", "target", "status"),
    [
        ("member", "member2", 403),
        ("member", "admin", 403),
        ("member", "owner", 403),
        ("admin", "admin2", 403),
        ("admin", "owner", 403),
        ("admin", "member", 204),
        ("owner", "member", 204),
        ("owner", "admin", 204),
    ],
)
async def test_remove__who_may_whom(api: Api, asker: str, target: str, status: int) -> None:
    people = dict(zip(("owner", "admin", "admin2", "member", "member2"), await api.people(5), strict=True))
    group = await people["owner"].group(*people.values())
    for name in ("admin", "admin2"):
        await people["owner"].patch(f"{members(group)}/{people[name].id}", {"role": "admin"})

    answer = await people[asker].call("DELETE", f"{members(group)}/{people[target].id}")

    assert answer.status == status
    assert (people[target].id in await roles(people[asker], group)) == (status == 403)


@pytest.mark.parametrize("asker", ["admin", "member"])
async def test_set_role__by_another_than_the_owner__is_refused(api: Api, asker: str) -> None:
    people = dict(zip(("owner", "admin", "member"), await api.people(3), strict=True))
    group = await people["owner"].group(*people.values())
    await people["owner"].patch(f"{members(group)}/{people['admin'].id}", {"role": "admin"})

    answer = await people[asker].call("PATCH", f"{members(group)}/{people['member'].id}", {"role": "admin"})

    assert (answer.status, answer.code) == (403, "forbidden")


async def test_set_role__of_nobody_or_to_nonsense__is_refused(api: Api) -> None:
    ada, ben, eve = await api.people(3)
    group = await ada.group(ben)

    nobody = await ada.call("PATCH", f"{members(group)}/{eve.id}", {"role": "admin"})
    nonsense = await ada.call("PATCH", f"{members(group)}/{ben.id}", {"role": "king"})
    own = await ada.call("PATCH", f"{members(group)}/{ada.id}", {"role": "member"})

    assert (nobody.status, own.status) == (404, 409)
    assert nonsense.fields == {"role"}


async def test_add__unknown_people__adds_none(api: Api) -> None:
    ada, ben = await api.people(2)
    group = await ada.group()

    answer = await ada.call("POST", members(group), {"user_ids": [ben.id, group["id"]]})
    empty = await ada.call("POST", members(group), {"user_ids": []})

    assert answer.fields == empty.fields == {"user_ids"}
    assert list(await roles(ada, group)) == [ada.id]


async def test_add__beyond_the_bound__adds_none(start_api: Start) -> None:
    async with start_api(group_members_max=3) as api:
        ada, ben, *others = await api.people(4)
        group = await ada.group(ben)

        answer = await ada.call("POST", members(group), {"user_ids": [other.id for other in others]})

        assert (answer.status, answer.code) == (409, "conflict")
        assert len(await roles(ada, group)) == 2


async def test_add__each_takes_a_change_and_is_told(api: Api) -> None:
    ada, ben, cleo, dan = await api.people(4)
    group = await ada.group(ben)
    await api.hear(group["id"])
    await api.ear.on(topology.user_channel(cleo.id), topology.user_channel(ben.id))

    answer = await ben.post(members(group), {"user_ids": [cleo.id, dan.id, ada.id, cleo.id]})

    assert [(item["user"]["id"], item["role"]) for item in answer["items"]] == [
        (cleo.id, "member"),
        (dan.id, "member"),
        (ada.id, "owner"),
    ]
    await eventually(lambda: len(api.ear.room(group["id"])) == 2)
    told = api.ear.room(group["id"])
    assert [(event.event, event.user_id, event.change_seq) for event in told] == [
        ("member:changed", cleo.id, 2),
        ("member:changed", dan.id, 3),
    ]
    assert told[0].payload == {
        "conversation_id": group["id"],
        "user_id": cleo.id,
        "role": "member",
        "change_seq": 2,
    }
    await eventually(lambda: api.ear.person(cleo.id))
    (new,) = api.ear.person(cleo.id)
    assert new.conversation.model_dump(mode="json") == await cleo.get(f"/v1/conversations/{group['id']}")
    assert new.conversation.members_count == 4
    assert api.ear.person(ben.id) == []


async def test_add__members_again__changes_nothing(api: Api) -> None:
    ada, ben = await api.people(2)
    group = await ada.group(ben)

    await ada.post(members(group), {"user_ids": [ben.id]})

    assert (await ada.get(f"/v1/conversations/{group['id']}"))["change_seq"] == 1


async def test_add__one_who_was_gone__reads_on_where_they_were(api: Api) -> None:
    ada, ben = await api.people(2)
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
    ada, ben, *others = await api.people(12)
    group = await ada.group(ben)
    await api.hear(group["id"])

    await asyncio.gather(
        *(person.post(members(group), {"user_ids": [o.id for o in others[:7]]}) for person in (ada, ben)),
        ada.post(members(group), {"user_ids": [o.id for o in others[5:]]}),
    )

    await eventually(lambda: len(api.ear.room(group["id"])) == 10)
    assert sorted(event.change_seq or 0 for event in api.ear.room(group["id"])) == list(range(2, 12))
    assert (await ada.get(f"/v1/conversations/{group['id']}"))["members_count"] == 12


async def test_remove__again__is_answered_alike_and_changes_nothing(api: Api) -> None:
    ada, ben, cleo, eve = await api.people(4)
    group = await ada.group(ben, cleo)
    await ada.delete(f"{members(group)}/{ben.id}")
    await cleo.delete(f"{members(group)}/{cleo.id}")

    by_owner = await ada.call("DELETE", f"{members(group)}/{ben.id}")
    by_leaver = await cleo.call("DELETE", f"{members(group)}/{cleo.id}")
    never_in = await ada.call("DELETE", f"{members(group)}/{eve.id}")

    assert (by_owner.status, by_leaver.status, never_in.status) == (204, 204, 404)
    seen = await ada.get(f"/v1/conversations/{group['id']}")
    assert (seen["change_seq"], seen["members_count"]) == (3, 1)


async def test_remove__is_told_to_the_room_as_a_member_without_role(api: Api) -> None:
    ada, ben = await api.people(2)
    group = await ada.group(ben)
    await api.hear(group["id"])

    await ada.delete(f"{members(group)}/{ben.id}")

    await eventually(lambda: api.ear.room(group["id"]))
    (event,) = api.ear.room(group["id"])
    assert (event.event, event.user_id, event.payload["role"]) == ("member:changed", ben.id, None)
    assert (await ben.call("GET", f"/v1/conversations/{group['id']}")).status == 404
    assert (await ben.get("/v1/conversations"))["items"] == []


async def test_set_role__owner__makes_the_giver_an_admin(api: Api) -> None:
    ada, ben = await api.people(2)
    group = await ada.group(ben)
    await api.hear(group["id"])

    changed = await ada.patch(f"{members(group)}/{ben.id}", {"role": "owner"})

    assert changed["role"] == "owner"
    assert await roles(ada, group) == {ada.id: "admin", ben.id: "owner"}
    await eventually(lambda: len(api.ear.room(group["id"])) == 2)
    assert [event.change_seq for event in api.ear.room(group["id"])] == [2, 3]


async def test_leave__by_the_owner__hands_on_to_the_longest_standing_admin(api: Api) -> None:
    ada, ben, cleo, dan = await api.people(4)
    group = await ada.group(ben)
    await ada.post(members(group), {"user_ids": [cleo.id]})
    await ada.post(members(group), {"user_ids": [dan.id]})
    for admin in (dan, cleo):
        await ada.patch(f"{members(group)}/{admin.id}", {"role": "admin"})

    await ada.delete(f"{members(group)}/{ada.id}")

    assert await roles(ben, group) == {ben.id: "member", cleo.id: "owner", dan.id: "admin"}


async def test_leave__by_the_last__leaves_it_empty(api: Api) -> None:
    ada = await api.person()
    group = await ada.group()

    await ada.delete(f"{members(group)}/{ada.id}")

    assert (await ada.call("GET", f"/v1/conversations/{group['id']}")).status == 404
