"""Edit, delete, react: who may, what everybody sees then, and that repeats change nothing."""

from urllib.parse import quote

import pytest
from synctalk_contracts.commands import AddReaction, DeleteMessage, EditMessage, RemoveReaction
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, Start

THUMB = "👍"


def at(message: Json) -> str:
    return f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"


def reaction(message: Json, emoji: str = THUMB) -> str:
    return f"{at(message)}/reactions/{quote(emoji, safe='')}"


async def test_changes__by_an_unrelated_user__find_nothing(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    message = await ada.send((await ada.direct(ben))["id"])

    responses = [
        await eve.call("GET", at(message)),
        await eve.call("PATCH", at(message), {"body": "mine"}),
        await eve.call("DELETE", at(message)),
        await eve.call("PUT", reaction(message)),
        await eve.call("DELETE", reaction(message)),
    ]

    assert {(response.status, response.code) for response in responses} == {(404, "not_found")}


async def test_changes__through_a_conversation_of_ones_own__find_nothing(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    message = await ada.send((await ada.direct(ben))["id"])
    own = await eve.direct(ben)

    response = await eve.call("PATCH", f"/v1/conversations/{own['id']}/messages/{message['id']}", {"body": "mine"})

    assert (response.status, response.code) == (404, "not_found")


async def test_edit__by_another_member__is_refused(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    message = await ben.send(group["id"])

    response = await ada.call("PATCH", at(message), {"body": "the owner's"})

    assert (response.status, response.code) == (403, "forbidden")


async def test_delete__by_another_member__is_refused_but_not_to_the_owner(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    message = await ben.send(group["id"])

    by_member = await cleo.call("DELETE", at(message))
    by_owner = await ada.call("DELETE", at(message))

    assert (by_member.status, by_owner.status) == (403, 204)


@pytest.mark.parametrize(
    ("sender", "status"), [("member", 204), ("gone", 204), ("moderator2", 403), ("admin", 403), ("owner", 403)]
)
async def test_delete__by_a_moderator__is_of_lower_roles(api: Api, sender: str, status: int) -> None:
    names = ("owner", "admin", "moderator", "moderator2", "member", "gone")
    users = dict(zip(names, await api.users(6), strict=True))
    group = await users["owner"].group(*users.values())
    for name, role in (("admin", "admin"), ("moderator", "moderator"), ("moderator2", "moderator")):
        await users["owner"].patch(f"/v1/conversations/{group['id']}/members/{users[name].id}", {"role": role})
    message = await users[sender].send(group["id"])
    await users["gone"].delete(f"/v1/conversations/{group['id']}/members/{users['gone'].id}")

    assert (await users["moderator"].call("DELETE", at(message))).status == status


async def test_delete__in_a_direct_conversation__only_ones_own(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"])

    assert (await ben.call("DELETE", at(message))).status == 403


async def test_edit__is_seen_and_published_with_its_own_number(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"], "before")
    await api.subscribe(conversation["id"])

    edited = await ada.patch(at(message), {"body": f"after @{ben.profile.username}"})

    assert edited["body"] == f"after @{ben.profile.username}"
    assert edited["mentions"] == [ben.id]
    assert edited["edited_at"] is not None
    assert (edited["seq"], edited["change_seq"]) == (message["seq"], message["change_seq"] + 1)
    assert await ben.get(at(message)) == edited
    await eventually(lambda: api.redis.room_events(conversation["id"]))
    (event,) = api.redis.room_events(conversation["id"])
    assert (event.event, event.payload, event.change_seq) == ("message:updated", edited, edited["change_seq"])


async def test_edit__to_the_same__changes_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"], "same")

    assert await ada.patch(at(message), {"body": "same"}) == message


async def test_delete__keeps_its_place_without_its_content(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"], f"@{ben.profile.username}")
    await ben.put(reaction(message))

    await ada.delete(at(message))
    await ada.delete(at(message))

    deleted = await ben.get(at(message))
    assert (deleted["body"], deleted["reactions"], deleted["mentions"]) == ("", {}, [])
    assert deleted["deleted_at"] is not None
    assert (deleted["seq"], deleted["change_seq"]) == (1, message["change_seq"] + 2)


async def test_deleted__takes_no_edit_and_no_reaction(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"])
    await ada.delete(at(message))

    edit = await ada.call("PATCH", at(message), {"body": "back"})
    react = await ben.call("PUT", reaction(message))
    take_back = await ben.call("DELETE", reaction(message))

    assert (edit.code, react.code, take_back.status) == ("conflict", "conflict", 204)


async def test_react__again__changes_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"])
    await api.subscribe(conversation["id"])

    for _ in range(2):
        await ben.put(reaction(message))
    await ada.put(reaction(message))
    await ada.put(reaction(message, "🎉"))
    for _ in range(2):
        await ben.delete(reaction(message))

    seen = await ada.get(at(message))
    assert seen["reactions"] == {THUMB: [ada.id], "🎉": [ada.id]}
    assert seen["change_seq"] == message["change_seq"] + 4
    await eventually(lambda: {event.change_seq for event in api.redis.room_events(conversation["id"])} == {3, 4, 5, 6})
    assert {event.event for event in api.redis.room_events(conversation["id"])} == {"message:updated"}


async def test_react__after_reactions_of_an_earlier_version__comes_behind_them(api: Api) -> None:
    ada, ben, cleo, dan = await api.users(4)
    group = await ada.group(ben, cleo, dan)
    message = await ada.send(group["id"])
    for user in (dan, cleo):
        await user.put(reaction(message))
    # As from a sequence, which is larger than any change_seq.
    earlier = "update reactions set position = position - (1::bigint << 52) + 1000000 where message_id = $1"
    await api.sql(earlier, message["id"])

    for user in (ben, ada):
        await user.put(reaction(message))

    assert (await ada.get(at(message)))["reactions"] == {THUMB: [dan.id, cleo.id, ben.id, ada.id]}


async def test_react__with_and_without_the_presentation_selector__is_one_kind(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"])

    await ada.put(reaction(message, "❤"))
    await ben.put(reaction(message, "❤\ufe0f"))
    await ben.put(reaction(message, THUMB + "\ufe0f"))
    await ben.delete(reaction(message, THUMB))

    assert (await ada.get(at(message)))["reactions"] == {"❤\ufe0f": [ada.id, ben.id]}


@pytest.mark.parametrize("emoji", ["x", "hello", "a b", "👍" * 20, "👍👍", "\u0000"])
async def test_react__with_what_is_no_emoji__is_invalid(api: Api, emoji: str) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"])

    assert (await ada.call("PUT", reaction(message, emoji))).fields == {"emoji"}


async def test_react__with_too_many_kinds__is_refused(start_api: Start) -> None:
    async with start_api(reaction_kinds_max=2) as api:
        ada, ben = await api.users(2)
        message = await ada.send((await ada.direct(ben))["id"])
        for emoji in ("👍", "🎉"):
            await ada.put(reaction(message, emoji))

        third = await ada.call("PUT", reaction(message, "🙂"))
        known = await ben.call("PUT", reaction(message, "🎉"))

        assert (third.code, known.status) == ("conflict", 204)


async def test_commands__in_one_batch__take_effect_in_order(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"], "first")
    place = {"conversation_id": conversation["id"], "message_id": message["id"]}

    replies = await api.commands(
        [
            AddReaction(user_id=ben.id, emoji=THUMB, **place),
            RemoveReaction(user_id=ben.id, emoji=THUMB, **place),
            AddReaction(user_id=ada.id, emoji=THUMB, **place),
            EditMessage(user_id=ada.id, body="second", **place),
            EditMessage(user_id=ben.id, body="not mine", **place),
            DeleteMessage(user_id=ada.id, **place),
            EditMessage(user_id=ada.id, body="too late", **place),
        ]
    )

    outcomes = [reply["error"]["code"] if reply["error"] else "ok" for reply in replies]
    assert outcomes == ["ok", "ok", "ok", "ok", "forbidden", "ok", "conflict"]
    states = [reply["result"]["message"] for reply in replies if reply["result"]]
    assert [state["change_seq"] for state in states] == [3, 4, 5, 6, 7]
    assert states[3]["body"] == "second"
    assert states[3]["reactions"] == {THUMB: [ada.id]}
    assert states[-1] == await ada.get(at(message))
