"""Pins: who may, how many, what everybody sees then, and that repeats change nothing."""

import asyncio

from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, User


def at(message: Json) -> str:
    return f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"


async def pinned(user: User, conversation_id: str) -> list[str]:
    return [each["id"] for each in await user.list(f"/v1/conversations/{conversation_id}/pins", 2)]


async def test_pins__of_an_unrelated_user__find_nothing(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"])

    responses = [
        await eve.call("PUT", f"{at(message)}/pin"),
        await eve.call("DELETE", f"{at(message)}/pin"),
        await eve.call("GET", f"/v1/conversations/{conversation['id']}/pins"),
    ]

    assert {(response.status, response.code) for response in responses} == {(404, "not_found")}


async def test_pin__in_a_large_group__is_for_moderators_and_up(api: Api) -> None:
    ada, ben, *others = await api.users(21)
    group = await ada.group(ben, *others)
    message = await ben.send(group["id"])
    await ada.patch(f"/v1/conversations/{group['id']}/members/{others[1].id}", {"role": "moderator"})

    by_member = [await ben.call(method, f"{at(message)}/pin") for method in ("PUT", "DELETE")]
    by_owner = await ada.call("PUT", f"{at(message)}/pin")
    await others[1].delete(f"{at(message)}/pin")
    await others[1].put(f"{at(message)}/pin")
    await ada.delete(f"/v1/conversations/{group['id']}/members/{others[0].id}")
    in_a_small_group = await ben.call("DELETE", f"{at(message)}/pin")

    assert [response.status for response in by_member] == [403, 403]
    assert (by_owner.status, in_a_small_group.status) == (204, 204)


async def test_pin__is_seen_and_published_with_the_conversation(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"])
    await api.subscribe(conversation["id"])

    await ben.put(f"{at(message)}/pin")

    seen = await ada.get(at(message))
    assert (seen["pinned_by"], seen["change_seq"]) == (ben.id, message["change_seq"] + 1)
    assert seen["pinned_at"] is not None
    view = await ada.get(f"/v1/conversations/{conversation['id']}")
    assert (view["pins_count"], view["change_seq"], view["last_message"]) == (1, seen["change_seq"], seen)
    await eventually(lambda: len(api.redis.room_events(conversation["id"])) == 2)
    updated, of_conversation = api.redis.room_events(conversation["id"])
    assert (updated.event, updated.payload, updated.change_seq) == ("message:updated", seen, seen["change_seq"])
    assert (of_conversation.event, of_conversation.change_seq) == ("conversation:updated", None)
    assert of_conversation.payload["pins_count"] == 1
    views = of_conversation.views or {}
    assert {user_id: view.peer and view.peer.id for user_id, view in views.items()} == {ada.id: ben.id, ben.id: ada.id}
    synced = await ada.post("/v1/sync", {"cursors": {conversation["id"]: message["change_seq"]}})
    assert synced["conversations"][conversation["id"]]["messages"] == [seen]


async def test_pin__again_or_by_another__changes_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    message = await ada.send((await ada.direct(ben))["id"])

    await ada.put(f"{at(message)}/pin")
    first = await ada.get(at(message))
    for user in (ada, ben):
        await user.put(f"{at(message)}/pin")
    again = await ada.get(at(message))
    for _ in range(2):
        await ben.delete(f"{at(message)}/pin")
    unpinned = await ada.get(at(message))

    assert again == first
    assert unpinned == message | {"change_seq": message["change_seq"] + 2}


async def test_pins__are_listed_latest_first_page_by_page(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    messages = [await ada.send(conversation["id"], f"message {n}") for n in range(5)]

    for n in (1, 4, 0, 3):
        await ada.put(f"{at(messages[n])}/pin")

    assert await pinned(ben, conversation["id"]) == [messages[n]["id"] for n in (3, 0, 4, 1)]


async def test_pin__of_two_at_once_where_one_fits__is_one(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    messages = [await ada.send(conversation["id"]) for _ in range(4)]
    await api.sql("update conversations set pins_count = 249 where id = $1", conversation["id"])

    responses = await asyncio.gather(*(user.call("PUT", f"{at(m)}/pin") for m in messages for user in (ada, ben)))

    assert sorted({response.status for response in responses}) == [204, 409]
    assert len(await pinned(ada, conversation["id"])) == 1


async def test_delete__of_a_pinned_message__takes_its_pin(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"])
    await ada.put(f"{at(message)}/pin")
    await ada.delete(at(message))

    again = await ada.call("PUT", f"{at(message)}/pin")
    unpin = await ada.call("DELETE", f"{at(message)}/pin")

    deleted = await ben.get(at(message))
    assert (deleted["pinned_at"], deleted["pinned_by"]) == (None, None)
    assert await pinned(ben, conversation["id"]) == []
    assert (await ben.get(f"/v1/conversations/{conversation['id']}"))["pins_count"] == 0
    assert (again.status, again.fields, unpin.status) == (422, {"message_id"}, 204)


async def test_pin__beyond_the_most__is_a_conflict_until_one_is_unpinned(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    first, second = await ada.send(conversation["id"]), await ada.send(conversation["id"])
    await ada.put(f"{at(first)}/pin")
    await api.sql("update conversations set pins_count = 250 where id = $1", conversation["id"])

    refused = await ada.call("PUT", f"{at(second)}/pin")
    await ada.delete(f"{at(first)}/pin")
    accepted = await ada.call("PUT", f"{at(second)}/pin")

    assert (refused.status, refused.code, accepted.status) == (409, "conflict", 204)
