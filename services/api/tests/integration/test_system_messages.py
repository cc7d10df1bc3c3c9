"""System messages: when a group says what happened, with which numbers, and what they don't do."""

from typing import Any

import pytest
from synctalk_api.store import erasures
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, User


async def saying_group(user: User, *others: User, **fields: Any) -> Json:
    body = {"type": "group", "title": "Tea", "member_ids": [other.id for other in others], "system_messages": True}
    group: Json = await user.post("/v1/conversations", body | fields)
    return group


async def history(user: User, group: Json) -> list[Json]:
    items: list[Json] = (await user.get(f"/v1/conversations/{group['id']}/messages"))["items"]
    return items


async def said(user: User, group: Json) -> list[Json]:
    return [message["system"] for message in await history(user, group) if message["system"] is not None]


async def test_group__without_system_messages__says_nothing(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben)
    path = f"/v1/conversations/{group['id']}"
    await ada.post(f"{path}/members", {"user_ids": [cleo.id]})
    await ada.patch(path, {"title": "Renamed", "description": "of tea"})
    await cleo.delete(f"{path}/members/{cleo.id}")

    assert group["system_messages"] is False
    assert await history(ada, group) == []
    assert (await ada.get(path))["last_seq"] == 0


async def test_group__created_with_them__begins_with_its_creation(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await saying_group(ada, ben)

    (message,) = await history(ben, group)

    assert (group["last_seq"], group["change_seq"], group["system_messages"]) == (1, 2, True)
    assert group["last_message"] == message
    assert (message["seq"], message["change_seq"], message["sender_id"]) == (1, 2, ada.id)
    assert (message["system"], message["body"]) == ({"type": "created"}, "The group was created.")
    assert (message["client_message_id"], message["mentions"]) == (f"sys_{message['id']}", [])


async def test_changes__are_said_after_them_in_one_commit(api: Api) -> None:
    ada, ben, cleo, dora = await api.users(4)
    group = await saying_group(ada, ben)
    path = f"/v1/conversations/{group['id']}"
    await api.subscribe(group["id"])

    await ada.post(f"{path}/members", {"user_ids": [cleo.id, dora.id, ben.id]})
    await ada.patch(path, {"title": "Chess", "description": "of chess", "metadata": {"a": 1}})
    await ada.delete(f"{path}/members/{cleo.id}")
    await dora.delete(f"{path}/members/{dora.id}")
    message = await ada.send(group["id"], "to be pinned")
    await ben.put(f"{path}/messages/{message['id']}/pin")

    assert await said(ben, group) == [
        {"type": "created"},
        {"type": "member_added", "user_ids": [cleo.id, dora.id], "by": ada.id},
        {"type": "renamed", "title": "Chess"},
        {"type": "described"},
        {"type": "settings"},
        {"type": "member_removed", "user_ids": [cleo.id], "by": ada.id},
        {"type": "member_left"},
        {"type": "pinned", "message_id": message["id"]},
    ]
    seen = await history(ben, group)
    assert [each["seq"] for each in seen] == list(range(1, 10))
    assert [each["sender_id"] for each in seen] == [ada.id] * 6 + [dora.id, ada.id, ben.id]
    view = await ben.get(path)
    assert (view["last_seq"], view["change_seq"], view["last_message"]) == (9, seen[-1]["change_seq"], seen[-1])
    events = [event for event in await room_events(api, group, 14) if event.change_seq is not None]
    assert [event.change_seq for event in events] == list(range(3, view["change_seq"] + 1))
    assert [event.event for event in events] == [
        "member:changed", "member:changed", "message:new",
        "conversation:updated", "message:new", "message:new", "message:new",
        "member:changed", "message:new", "member:changed", "message:new",
        "message:new", "message:updated", "message:new",
    ]  # fmt: skip
    assert [event.payload for event in events if event.payload.get("system")] == [
        each for each in seen[1:] if each["system"]
    ]


async def room_events(api: Api, group: Json, count: int) -> list[Any]:
    def numbered() -> bool:
        return len([e for e in api.redis.room_events(group["id"]) if e.change_seq is not None]) >= count

    await eventually(numbered)
    return api.redis.room_events(group["id"])


async def test_changes__come_by_sync_as_they_are(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await saying_group(ada, ben)
    await ada.patch(f"/v1/conversations/{group['id']}", {"title": "Chess"})

    synced = await ben.post("/v1/sync", {"cursors": {group["id"]: 0}})

    state = synced["conversations"][group["id"]]
    assert state["messages"] == await history(ben, group)
    assert (state["change_seq"], state["more"]) == (state["conversation"]["change_seq"], False)


async def test_repeats__that_change_nothing__say_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await saying_group(ada, ben)
    path = f"/v1/conversations/{group['id']}"
    message = await ada.send(group["id"])
    for _ in range(2):
        await ada.post(f"{path}/members", {"user_ids": [ben.id]})
        await ada.patch(path, {"title": "Tea", "system_messages": True})
        await ada.put(f"{path}/messages/{message['id']}/pin")
    await ada.delete(f"{path}/messages/{message['id']}/pin")
    for _ in range(2):
        await ben.delete(f"{path}/members/{ben.id}")

    assert [each["type"] for each in await said(ada, group)] == ["created", "pinned", "member_left"]


async def test_owner__who_leaves__is_followed_before_it_is_said(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await saying_group(ada, ben)
    path = f"/v1/conversations/{group['id']}"

    await ada.delete(f"{path}/members/{ada.id}")

    assert (await ben.get(path))["role"] == "owner"
    assert [each["type"] for each in await said(ben, group)] == ["created", "member_left"]


async def test_system_messages__are_turned_on_by_an_admin_and_off(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    path = f"/v1/conversations/{group['id']}"

    by_member = await ben.call("PATCH", path, {"system_messages": True})
    on = await ada.patch(path, {"system_messages": True})
    off = await ada.patch(path, {"system_messages": False})
    await ada.patch(path, {"title": "Unsaid"})

    assert by_member.status == 403
    assert (on["system_messages"], off["system_messages"]) == (True, False)
    assert await said(ben, group) == [{"type": "settings"}]


async def test_system_messages__in_a_direct_conversation__are_invalid(api: Api) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)

    begun = await ada.call(
        "POST", "/v1/conversations", {"type": "direct", "member_ids": [ben.id], "system_messages": True}
    )
    changed = await ada.call("PATCH", f"/v1/conversations/{direct['id']}", {"system_messages": True})

    assert [(each.status, each.fields) for each in (begun, changed)] == [(422, {"system_messages"})] * 2


async def test_system_message__is_never_unread_and_raises_no_watermark(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await saying_group(ada, ben)
    path = f"/v1/conversations/{group['id']}"
    await ada.patch(path, {"title": "Chess"})
    first = await ada.send(group["id"], "one")
    await ada.patch(path, {"title": "Go"})

    of_ada, of_ben = await ada.get(path), await ben.get(path)

    assert (of_ada["unread_count"], of_ada["read_seq"]) == (0, first["seq"])
    assert (of_ben["unread_count"], of_ben["read_seq"], of_ben["me"]["first_unread_seq"]) == (1, 0, first["seq"])
    around = await ben.get(f"{path}/messages", params={"around": "first_unread", "limit": "1"})
    assert around["items"] == [first]
    questions = [{"user_id": ben.id, "conversation_id": group["id"], "seq": 3, "quiet_conversation_ids": []}]
    answers = (await api.internal("POST", "/internal/pushes", {"items": questions})).body["items"]
    assert answers[0]["badge"] == 1


async def test_system_message__moves_the_list(api: Api) -> None:
    ada, ben = await api.users(2)
    group, direct = await saying_group(ada, ben), await ada.direct(ben)
    await ada.send(direct["id"])
    await ada.patch(f"/v1/conversations/{group['id']}", {"title": "Chess"})

    assert [each["id"] for each in (await ben.get("/v1/conversations"))["items"]] == [group["id"], direct["id"]]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"body": "edited"}),
        ("DELETE", "", None),
        ("PUT", "/reactions/👍", None),
        ("DELETE", "/reactions/👍", None),
        ("PUT", "/pin", None),
        ("DELETE", "/pin", None),
    ],
)
async def test_system_message__cannot_be_changed(api: Api, method: str, path: str, body: Json | None) -> None:
    ada, ben = await api.users(2)
    group = await saying_group(ada, ben)
    (message,) = await history(ada, group)

    response = await ada.call(method, f"/v1/conversations/{group['id']}/messages/{message['id']}{path}", body)

    assert (response.status, response.code) == (403, "forbidden")
    assert await history(ada, group) == [message]


async def test_system_message__cannot_be_answered_or_forwarded(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await saying_group(ada, ben)
    (message,) = await history(ada, group)
    path = f"/v1/conversations/{group['id']}/messages"
    source = {"conversation_id": group["id"], "message_id": message["id"]}

    answered = await ada.call("POST", path, {"client_message_id": "a", "body": "hi", "reply_to": message["id"]})
    forwarded = await ada.call("POST", path, {"client_message_id": "b", "forward": source})

    assert (answered.status, answered.fields) == (422, {"reply_to"})
    assert forwarded.status == 403 or (forwarded.status, forwarded.fields) == (422, {"forward"})


async def test_system_message__is_in_no_search_and_mentions_nobody(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await saying_group(ada, ben)
    await ada.patch(f"/v1/conversations/{group['id']}", {"title": f"@all @{ben.profile.username} tea"})
    here = {"conversation_id": group["id"]}

    for asked in ({"q": "tea"}, {"q": "renamed"}, {"sender_id": ada.id}, {"mentions": "me"}, {}):
        found = await ben.get("/v1/search/messages", params=here | asked)
        assert found["items"] == []
    assert (await ben.get("/v1/mentions"))["items"] == []
    assert (await ben.get(f"/v1/conversations/{group['id']}"))["me"]["mention_count"] == 0


async def test_system_message__of_a_user_who_is_erased__stays(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await saying_group(ada, ben)
    message = await ada.send(group["id"], "to be erased")

    async with api.services.stores.main.postgres.connection() as conn:
        found = await erasures.messages(conn, group["id"], ada.id, 100)

    assert list(found) == [message["id"]]


async def test_group__that_is_joined_moderated_or_archived__says_so(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await saying_group(ada, visibility="public")
    path = f"/v1/conversations/{group['id']}"
    invite = await ada.post(f"{path}/invites", {})

    await ben.post(f"{path}/join")
    await cleo.post(f"/v1/invites/{invite['code']}/accept")
    for _ in range(2):
        await ada.call("PUT", f"{path}/bans/{cleo.id}", {})
        await ada.patch(path, {"slow_mode_s": 5, "posting": "admins", "visibility": "private"})
        await ada.call("PUT", f"{path}/archive")
    await ada.call("DELETE", f"{path}/archive")

    assert await said(ada, group) == [
        {"type": "created"},
        {"type": "member_added", "user_ids": [ben.id], "by": ben.id},
        {"type": "member_added", "user_ids": [cleo.id], "by": cleo.id},
        {"type": "member_removed", "user_ids": [cleo.id], "by": ada.id},
        {"type": "settings"},
        {"type": "archived"},
        {"type": "unarchived"},
    ]
    view = await ada.get(path)
    assert [m["change_seq"] for m in await history(ada, group)] == [2, 4, 6, 8, 10, 12, 14]
    assert (view["last_seq"], view["change_seq"], view["unread_count"]) == (7, 14, 0)


async def test_system_message__brings_no_hidden_conversation_back_and_cannot_be_reported(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await saying_group(ada, ben)
    path = f"/v1/conversations/{group['id']}"
    await ben.patch(f"{path}/me", {"hidden": True})

    await ada.post(f"{path}/members", {"user_ids": [cleo.id]})

    (created, _) = await history(ben, group)
    assert (await ben.get(path))["me"]["hidden_at"] is not None
    assert (await ben.call("POST", f"{path}/messages/{created['id']}/report", {})).status == 403
