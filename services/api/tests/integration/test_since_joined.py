"""Groups in which messages of before a member's latest join do not exist for them, on any way."""

from typing import Any

from synctalk_contracts.commands import EditMessage
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, User
from services.api.tests.integration.test_threads import at, reply


async def group_of(owner: User, *others: User, **fields: Any) -> Json:
    body = {"type": "group", "title": "A group", "member_ids": [each.id for each in others], "history": "since_joined"}
    conversation: Json = await owner.post("/v1/conversations", body | fields)
    return conversation


async def joined(api: Api) -> tuple[User, User, Json, list[Json]]:
    """Return who began a group, who joined it later, and what was said before that and since."""
    ada, ben = await api.users(2)
    group = await group_of(ada)
    old = [await ada.send(group["id"], f"tea old @{ben.profile.username} {n}") for n in range(2)]
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})
    return ada, ben, group, [*old, await ada.send(group["id"], "tea new")]


async def test_history__is_a_setting_of_groups(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()

    changed = await ada.patch(f"/v1/conversations/{group['id']}", {"history": "since_joined"})
    direct = {"type": "direct", "member_ids": [ben.id], "history": "all"}

    assert (group["history"], changed["history"]) == ("all", "since_joined")
    assert (await ada.call("POST", "/v1/conversations", direct)).fields == {"history"}


async def test_messages_of_before__are_in_no_list_and_count(api: Api) -> None:
    ada, ben, group, (old, _, new) = await joined(api)
    path = f"/v1/conversations/{group['id']}"
    await ada.put(f"{at(old)}/pin")
    await ada.put(f"{at(new)}/pin")

    queries = ("", "?after_seq=0", "?before_seq=99", "?around_seq=1", "?around=first_unread", "?top_level=true")
    lists = [await ben.get(f"{path}/messages{query}") for query in (*queries, f"?at={old['created_at']}")]
    search = await ben.get("/v1/search/messages", params={"q": "tea"})
    here = await ben.get("/v1/search/messages", params={"q": "-nothing", "conversation_id": group["id"]})
    view = await ben.get(path)

    assert [[each["id"] for each in listed["items"]] for listed in lists] == [[new["id"]]] * len(lists)
    assert [hit["message"]["id"] for hit in search["items"]] == [new["id"]]
    assert [hit["message"]["id"] for hit in here["items"]] == [new["id"]]
    assert [each["id"] for each in (await ben.get(f"{path}/pins"))["items"]] == [new["id"]]
    assert (view["unread_count"], view["pins_count"], view["me"]["mention_count"]) == (1, 1, 0)
    assert (view["me"]["first_unread_seq"], view["last_seq"]) == (new["seq"], new["seq"])
    assert (await ben.get("/v1/mentions"))["items"] == []
    assert (await ada.get(path))["pins_count"] == 2
    assert len((await ada.get(f"{path}/messages"))["items"]) == 3


async def test_messages_of_before__are_not_found(api: Api) -> None:
    ada, ben, group, (old, _, _) = await joined(api)
    path = f"/v1/conversations/{group['id']}"

    responses = [
        await ben.call("GET", at(old)),
        await ben.call("GET", f"{at(old)}/revisions"),
        await ben.call("PUT", f"{at(old)}/reactions/👍"),
        await ben.call("PUT", f"{at(old)}/pin"),
        await ben.call("PUT", f"{at(old)}/follow"),
        await ben.call("POST", f"{at(old)}/read", {"seq": 1}),
        await ben.call("POST", f"{at(old)}/report", {"reason": "spam"}),
        await ben.call("GET", f"{path}/receipts", params={"seq": str(old["seq"])}),
    ]
    sent = {"client_message_id": new_id(), "body": "reply"}
    refused = [
        (await ben.call("POST", f"{path}/messages", {**sent, field: old["id"]})).fields
        for field in ("reply_to", "thread_id")
    ]
    forward = {"client_message_id": new_id(), "forward": {"conversation_id": group["id"], "message_id": old["id"]}}

    assert {response.status for response in responses} == {404}
    assert refused == [{"reply_to"}, {"thread_id"}]
    assert (await ben.call("POST", f"{path}/messages", forward)).fields == {"forward"}
    assert (await ada.call("GET", at(old))).status == 200


async def test_last_message__of_before__is_none(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group = await group_of(ada, eve)
    await ada.send(group["id"])
    await api.subscribe(group["id"])

    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})
    await ada.patch(f"/v1/conversations/{group['id']}", {"title": "Another name"})

    assert (await ben.get(f"/v1/conversations/{group['id']}"))["last_message"] is None
    (listed,) = (await ben.get("/v1/conversations"))["items"]
    assert listed["last_message"] is None
    await eventually(lambda: any(e.views for e in api.redis.room_events(group["id"])))
    (event,) = [event for event in api.redis.room_events(group["id"]) if event.views]
    assert event.payload["last_message"]["body"] == "hello"
    views = event.views or {}
    assert [user.id for user in (ada, ben, eve) if "last_message" in views[user.id].model_fields_set] == [ben.id]


async def test_change_of_before__is_a_number_alone(api: Api) -> None:
    ada, ben, group, (old, _, new) = await joined(api)
    await api.subscribe(group["id"])
    cursor = (await ben.get(f"/v1/conversations/{group['id']}"))["change_seq"]

    await ada.patch(at(old), {"body": "edited"})
    await ada.patch(at(new), {"body": "edited"})
    await ada.delete(at(old))

    await eventually(lambda: len(api.redis.room_events(group["id"])) == 3)
    assert [event.hidden_from for event in api.redis.room_events(group["id"])] == [[ben.id], None, [ben.id]]
    state = (await ben.post("/v1/sync", {"cursors": {group["id"]: cursor}}))["conversations"][group["id"]]
    assert [each["id"] for each in state["messages"]] == [new["id"]]
    assert (state["change_seq"], state["more"]) == (cursor + 3, False)


async def test_command_of_a_socket__on_a_message_of_before__is_not_found(api: Api) -> None:
    _, ben, group, (old, _, _) = await joined(api)

    edit = EditMessage(conversation_id=group["id"], user_id=ben.id, message_id=old["id"], body="mine")

    assert (await api.command(edit))["error"]["code"] == "not_found"


async def test_thread_of_before__shows_its_later_replies(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await group_of(ada)
    root = await ada.send(group["id"], "root")
    await reply(ada, root, "old")
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})
    await api.subscribe(group["id"])

    new = await reply(ada, root, f"@{ben.profile.username}")

    listed = await ben.get(f"/v1/conversations/{group['id']}/messages", params={"thread_id": root["id"]})
    assert [each["id"] for each in listed["items"]] == [new["id"]]
    assert (await ben.get("/v1/threads"))["items"] == []
    state = (await ben.post("/v1/sync", {"cursors": {group["id"]: new["change_seq"] - 1}}))["conversations"][
        group["id"]
    ]
    assert [each["id"] for each in state["messages"]] == [new["id"]]
    await eventually(lambda: any(e.event == "thread:changed" for e in api.redis.room_events(group["id"])))
    (changed,) = [event for event in api.redis.room_events(group["id"]) if event.event == "thread:changed"]
    assert changed.hidden_from == [ben.id]


async def test_member_who_comes_back__begins_anew(api: Api) -> None:
    ada, ben, group, (_, _, new) = await joined(api)
    own = await ben.send(group["id"], "mine")
    await ben.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})
    later = await ada.send(group["id"], "later")

    state = (await ben.post("/v1/sync", {"cursors": {group["id"]: own["change_seq"]}}))["conversations"][group["id"]]
    assert state == {"reset": True, "change_seq": later["change_seq"]}
    listed = await ben.get(f"/v1/conversations/{group['id']}/messages")

    assert [each["id"] for each in listed["items"]] == [later["id"]]
    assert (await ben.call("DELETE", at(own))).status == 404
    assert (await ben.call("GET", at(new))).status == 404


async def test_setting__holds_at_once_for_everybody__also_who_joined_before_it(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group()
    old = await ada.send(group["id"])
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})
    await api.sql("update members set joined_seq = null where conversation_id = $1", group["id"])
    path = f"/v1/conversations/{group['id']}"

    before = len((await ben.get(f"{path}/messages"))["items"])
    await ada.patch(path, {"history": "since_joined"})
    hidden = await ben.call("GET", at(old))
    changed = await ada.patch(path, {"history": "all"})

    cursors = [changed["change_seq"] - 1, changed["change_seq"]]
    states = [(await ben.post("/v1/sync", {"cursors": {group["id"]: cursor}}))["conversations"] for cursor in cursors]
    assert [state[group["id"]].get("reset", False) for state in states] == [True, False]
    assert (before, hidden.status) == (1, 404)
    assert len((await ben.get(f"{path}/messages"))["items"]) == 1
