"""The second part of the interface, what a team needs: its rows and points about messages and threads.

Each test is named after what it holds; `tests/boundaries/test_interfaces.py` keeps the list.
"""

from typing import Any

from synctalk_testkit.clients import User, Users, new_name
from synctalk_testkit.eventually import eventually

from tests.e2e.test_push import data, phone_of
from tests.e2e.test_threads import at, inside, receives, talk

MESSAGE_FIELDS = {
    *("thread_id", "also_in_conversation", "thread", "files", "mention_all", "pinned_at", "pinned_by"),
    *("forwarded_from", "system", "metadata", "previews"),
}
DEFAULTS: dict[str, Any] = {
    "description": "",
    "avatar_url": None,
    "visibility": "private",
    "posting": "everyone",
    "history": "all",
    "system_messages": False,
    "slow_mode_s": 0,
    "archived_at": None,
    "pins_count": 0,
    "metadata": {},
}


async def group_of(owner: User, *others: User, **fields: Any) -> dict[str, Any]:
    body = {"type": "group", "title": "A group", "member_ids": [other.id for other in others]} | fields
    conversation: dict[str, Any] = await owner.post("/v1/conversations", body)
    return conversation


async def refused(user: User, method: str, path: str, json: Any = None) -> tuple[int, str | None]:
    answer = await user.request(method, path, json=json)
    assert answer.status >= 400, answer
    return answer.status, answer.code


async def test_team_fields_1__message__has_all_new_fields__and_their_defaults(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    message = await ada.say((await ada.direct_with(bob))["id"], "hello")

    assert {name: message[name] for name in MESSAGE_FIELDS} == {
        "thread_id": None,
        "also_in_conversation": False,
        "thread": None,
        "files": [],
        "mention_all": False,
        "pinned_at": None,
        "pinned_by": None,
        "forwarded_from": None,
        "system": None,
        "metadata": {},
        "previews": [],
    }


async def test_team_fields_2__conversation__has_all_new_fields__a_direct_one_their_defaults(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct, group = await ada.direct_with(bob), await ada.group_with(bob)

    for conversation in (direct, group):
        assert {name: conversation[name] for name in DEFAULTS} == DEFAULTS
        assert conversation["me"] == {
            "pinned_at": None,
            "hidden_at": None,
            "marked_unread_at": None,
            "first_unread_seq": None,
            "mention_count": 0,
        }


async def test_team_fields_3__deleted_message__loses_the_new_fields_too__and_keeps_its_thread(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await ada.group_with(bob))["id"]
    root = await ada.say(group, "@all look", metadata={"n": 1})
    await ada.put(f"{at(root)}/pin")
    await bob.say(group, "a reply", **inside(root))
    await ada.delete(at(root))

    gone = await bob.get(at(root))
    assert (gone["body"], gone["files"], gone["mention_all"], gone["metadata"]) == ("", [], False, {})
    assert (gone["pinned_at"], gone["pinned_by"], gone["forwarded_from"]) == (None, None, None)
    assert gone["thread"]["reply_count"] == 1


async def test_team_fields_4__system_messages__say_what_happened__where_they_are_on(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = (await group_of(ada, bob, system_messages=True))["id"]
    path = f"/v1/conversations/{group}"
    message = await ada.say(group, "hello")
    await ada.post(f"{path}/members", {"user_ids": [eve.id]})
    await eve.delete(f"{path}/members/{eve.id}")
    await ada.patch(path, {"title": "New"})
    await ada.patch(path, {"description": "What it is about"})
    await ada.put(f"{at(message)}/pin")
    await ada.put(f"{path}/archive")
    await ada.delete(f"{path}/archive")
    await ada.patch(path, {"slow_mode_s": 1})
    await ada.delete(f"{path}/members/{bob.id}")

    said = [m["system"] for m in (await ada.get(f"{path}/messages"))["items"] if m["system"] is not None]
    assert said == [
        {"type": "created"},
        {"type": "member_added", "user_ids": [eve.id], "by": ada.id},
        {"type": "member_left"},
        {"type": "renamed", "title": "New"},
        {"type": "described"},
        {"type": "pinned", "message_id": message["id"]},
        {"type": "archived"},
        {"type": "unarchived"},
        {"type": "settings"},
        {"type": "member_removed", "user_ids": [bob.id], "by": ada.id},
    ]
    silent = (await ada.group_with(bob))["id"]
    await ada.patch(f"/v1/conversations/{silent}", {"title": "New"})
    assert (await ada.get(f"/v1/conversations/{silent}/messages"))["items"] == []


async def test_team_mentions_1__all__where_the_sender_may__counts_for_each_other(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = (await ada.group_with(bob, eve))["id"]
    to_all = await bob.say(group, "@all look")
    to_eve = await bob.say(group, f"@{eve.username} you too")

    assert (to_all["mention_all"], to_eve["mentions"]) == (True, [eve.id])
    assert (await eve.get(f"/v1/conversations/{group}"))["me"]["mention_count"] == 2
    assert (await bob.get(f"/v1/conversations/{group}"))["me"]["mention_count"] == 0
    listed = (await eve.get("/v1/mentions"))["items"]
    assert [(each["message"]["id"], each["conversation_id"]) for each in listed] == [
        (to_eve["id"], group),
        (to_all["id"], group),
    ]


async def test_team_mentions_2__pins__are_anyones_in_a_small_group__and_listed_latest_first(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await ada.group_with(bob))["id"]
    first, second = [await ada.say(group, body) for body in ("one", "two")]
    for message in (second, first):
        assert (await bob.request("PUT", f"{at(message)}/pin")).status == 204
    pins = (await ada.get(f"/v1/conversations/{group}/pins"))["items"]

    assert [each["id"] for each in pins] == [first["id"], second["id"]]
    assert {each["pinned_by"] for each in pins} == {bob.id}
    assert (await bob.request("DELETE", f"{at(first)}/pin")).status == 204
    assert (await ada.get(f"/v1/conversations/{group}"))["pins_count"] == 1


async def test_team_mentions_3__forward__has_the_body_of_a_message_that_one_can_read(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    source, target = await ada.direct_with(bob), await ada.direct_with(eve)
    message = await bob.say(source["id"], "The key is under the mat")
    new = {"client_message_id": new_name(), "forward": {"conversation_id": source["id"], "message_id": message["id"]}}
    forwarded = await ada.post(f"/v1/conversations/{target['id']}/messages", new)

    assert (forwarded["body"], forwarded["sender_id"]) == (message["body"], ada.id)
    again = new | {"client_message_id": new_name()}
    assert (await refused(eve, "POST", f"/v1/conversations/{target['id']}/messages", again))[0] == 422


async def test_team_mentions_4__revisions__for_the_sender_and_moderators__until_it_is_deleted(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = (await ada.group_with(bob, eve))["id"]
    message = await bob.say(group, "one")
    for body in ("two", "three"):
        await bob.patch(at(message), {"body": body})

    for user in (bob, ada):
        assert [each["body"] for each in (await user.get(f"{at(message)}/revisions"))["items"]] == ["one", "two"]
    assert await refused(eve, "GET", f"{at(message)}/revisions") == (403, "forbidden")
    await bob.delete(at(message))
    assert (await bob.get(f"{at(message)}/revisions"))["items"] == []


async def test_team_point_02__reply_and_root__share_one_number__live_and_by_sync(users: Users) -> None:
    ada, bob, _, root = await talk(users)
    live = await ada.connect()
    reply = await bob.say(root["conversation_id"], "a reply", **inside(root))
    changed = await receives(live, "thread:changed", change_seq=reply["change_seq"])
    await bob.delete(at(reply))
    gone = await receives(live, "thread:changed", thread=None)

    assert changed.keys() == {"conversation_id", "thread_id", "thread", "change_seq"}
    assert live.of("message:updated") == []
    (deleted,) = live.of("message:deleted")
    assert deleted["change_seq"] == gone["change_seq"] == (await ada.get(at(root)))["change_seq"]
    state = (await live.done("sync", {"cursors": {root["conversation_id"]: reply["change_seq"]}}))["conversations"]
    assert {m["id"] for m in state[root["conversation_id"]]["messages"]} == {root["id"], reply["id"]}


async def test_team_point_03__since_joined__begins_at_the_join_everywhere(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await group_of(ada, history="since_joined"))["id"]
    path = f"/v1/conversations/{group}"
    old = await ada.say(group, "before, a word")
    await ada.put(f"{at(old)}/pin")
    await ada.post(f"{path}/members", {"user_ids": [bob.id]})

    seen = await bob.get(path)
    assert (seen["last_message"], seen["unread_count"], seen["pins_count"]) == (None, 0, 0)
    assert (await bob.get(f"{path}/messages"))["items"] == []
    assert (await bob.get(f"{path}/pins"))["items"] == []
    assert (await bob.get("/v1/search/messages?q=word"))["items"] == []
    for method, beyond in (("GET", ""), ("PATCH", ""), ("PUT", "/pin"), ("PUT", "/follow"), ("GET", "/revisions")):
        json = {"body": "x"} if method == "PATCH" else None
        assert await refused(bob, method, at(old) + beyond, json) == (404, "not_found")
    assert await refused(bob, "PUT", f"{at(old)}/reactions/👍") == (404, "not_found")
    reply = await ada.say(group, "since", **inside(old))
    assert [m["id"] for m in (await bob.get(f"{path}/messages?thread_id={old['id']}"))["items"]] == [reply["id"]]


async def test_team_point_03__change_of_history__holds_at_once_for_everybody(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await group_of(ada))["id"]
    path = f"/v1/conversations/{group}"
    old = await ada.say(group, "before")
    await ada.post(f"{path}/members", {"user_ids": [bob.id]})
    live = await bob.connect()
    cursor = (await bob.get(path))["change_seq"]
    await ada.patch(path, {"history": "since_joined"})

    assert (await receives(live, "conversation:updated", history="since_joined"))["last_message"] is None
    assert await refused(bob, "GET", at(old)) == (404, "not_found")
    state = (await live.done("sync", {"cursors": {group: cursor}}))["conversations"][group]
    assert state == {"reset": True, "change_seq": cursor + 1}
    await ada.patch(path, {"history": "all"})
    assert (await bob.get(at(old)))["id"] == old["id"]


async def test_team_point_03__cursor_of_before_one_left__is_reset_at_the_next_join(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await group_of(ada, bob, history="since_joined"))["id"]
    path = f"/v1/conversations/{group}"
    cursor = (await ada.say(group, "seen by Bob"))["change_seq"]
    await bob.delete(f"{path}/members/{bob.id}")
    await ada.post(f"{path}/members", {"user_ids": [bob.id]})

    state = (await bob.post("/v1/sync", {"cursors": {group: cursor}}))["conversations"][group]
    assert state == {"reset": True, "change_seq": cursor + 2}
    assert (await bob.get(f"{path}/messages"))["items"] == []


async def test_team_point_04__forwarded_from__names_its_source_only_where_all_may_see_it(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    private, public = await group_of(ada, bob), await group_of(ada, visibility="public")
    target = await ada.direct_with(bob)
    shown = {}
    for name, source in (("private", private), ("public", public), ("same", target)):
        message = await ada.say(source["id"], name)
        forward = {"conversation_id": source["id"], "message_id": message["id"]}
        path = f"/v1/conversations/{target['id']}/messages"
        copy = await ada.post(path, {"client_message_id": new_name(), "forward": forward})
        shown[name] = (await bob.get(at(copy)))["forwarded_from"] == forward | {"sender_id": ada.id}
        if name == "private":
            assert copy["forwarded_from"] == {"conversation_id": None, "message_id": None, "sender_id": None}

    assert shown == {"private": False, "public": True, "same": True}


async def test_team_point_05__thread_reply__raises_its_senders_thread_mark_alone(users: Users) -> None:
    ada, bob, eve, root = await talk(users)
    group = root["conversation_id"]
    await ada.say(group, "unread by Bob")
    reply = await bob.say(group, "in the thread", **inside(root))
    assert (await bob.get(f"/v1/conversations/{group}"))["read_seq"] == 0
    (thread,) = (await bob.get("/v1/threads"))["items"]
    assert thread["read_seq"] == reply["seq"]
    both = await bob.say(group, "and beside it", **inside(root, also_in_conversation=True))
    assert (await bob.get(f"/v1/conversations/{group}"))["read_seq"] == both["seq"]
    await ada.post(f"/v1/conversations/{group}/read", {"seq": both["seq"]})
    (of_ada,) = (await ada.get("/v1/threads"))["items"]
    assert of_ada["unread_count"] == 2  # reading the conversation touches no thread
    phone = await phone_of(eve)
    shown = await ada.say(group, "counted")
    unread = (await eve.get(f"/v1/conversations/{group}"))["unread_count"]
    assert data(await phone.gets(shown))["badge"] == str(unread)


async def test_team_point_14__same_id_with_other_content__is_a_conflict__before_all_else(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await ada.group_with(bob))["id"]
    path = f"/v1/conversations/{group}"
    sent = {"client_message_id": new_name(), "body": "hello"}
    message = await bob.post(f"{path}/messages", sent)
    same: dict[str, Any] = sent | {
        "metadata": {},
        "also_in_conversation": False,
        "reply_to": None,
        "thread_id": None,
        "file_ids": [],
    }
    others = ({"body": "other"}, {"metadata": {"n": 1}}, {"reply_to": message["id"]}, {"thread_id": message["id"]})
    for other in others:
        answer = await refused(bob, "POST", f"{path}/messages", sent | other)
        assert answer == (409, "client_message_id_reused")
    await ada.patch(path, {"slow_mode_s": 60})
    await ada.put(f"{path}/members/{bob.id}/mute", {"until": None})
    await ada.put(f"{path}/archive")

    again = await bob.request("POST", f"{path}/messages", json=same)
    assert (again.status, again.body["id"]) == (200, message["id"])


async def test_team_point_15__all__is_nobodys_name__and_no_push_of_an_edit(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    body = {"username": "all", "password": ada.password}
    assert (await ada.request("POST", "/v1/auth/register", json=body)).status == 422
    group = (await ada.group_with(bob))["id"]
    phone = await phone_of(bob)
    await bob.put(f"/v1/notification-settings/{group}", {"level": "mentions"})
    message = await ada.say(group, "look")
    edited = await ada.patch(at(message), {"body": "@all look"})
    loud = await ada.say(group, "@ALL come")

    assert (edited["mention_all"], edited["mentions"], loud["mention_all"], loud["mentions"]) == (True, [], True, [])
    assert (await bob.get(f"/v1/conversations/{group}"))["me"]["mention_count"] == 2
    found = (await bob.get("/v1/search/messages?q=look&mentions=me"))["items"]
    assert [each["message"]["id"] for each in found] == [message["id"]]
    await phone.gets(loud)
    assert [data(push)["message_id"] for push in await phone.pushes()] == [loud["id"]]


async def test_team_point_16__counts__are_of_what_is_unread_there__and_leaving_ends_follows(users: Users) -> None:
    ada, bob, eve, root = await talk(users)
    group = root["conversation_id"]
    mention = await bob.say(group, f"@{eve.username} look", **inside(root))
    seen = await eve.get(f"/v1/conversations/{group}")
    assert (seen["me"]["mention_count"], seen["me"]["first_unread_seq"]) == (0, root["seq"])
    (thread,) = (await eve.get("/v1/threads"))["items"]
    assert (thread["mention_count"], thread["read_seq"]) == (1, mention["seq"] - 1)
    await eve.delete(f"{at(root)}/follow")
    await eve.put(f"{at(root)}/follow")
    (thread,) = (await eve.get("/v1/threads"))["items"]
    assert (thread["read_seq"], thread["unread_count"]) == (mention["seq"], 0)
    await eve.delete(f"/v1/conversations/{group}/members/{eve.id}")
    await ada.post(f"/v1/conversations/{group}/members", {"user_ids": [eve.id]})
    assert (await eve.get("/v1/threads"))["items"] == []


async def test_team_point_17__threads__are_one_deep__and_count_what_is_left(users: Users) -> None:
    ada, bob, _, root = await talk(users)
    group = root["conversation_id"]
    path = f"/v1/conversations/{group}/messages"
    await ada.put(f"{at(root)}/follow")
    assert (await ada.get("/v1/threads"))["items"] == []
    reply = await bob.say(group, "a reply", **inside(root))
    (thread,) = (await ada.get("/v1/threads"))["items"]
    assert (thread["conversation_id"], thread["root"]["id"]) == (group, root["id"])
    for method, there, json in (("PUT", "/follow", None), ("POST", "/read", {"seq": 1})):
        assert await refused(ada, method, at(reply) + there, json) == (422, "invalid")
        assert (await refused(ada, method, f"{path}/{group}{there}", json))[0] == 404
    nested = {"client_message_id": new_name(), "body": "x", "thread_id": reply["id"]}
    assert await refused(ada, "POST", path, nested) == (422, "invalid")
    assert await refused(ada, "POST", path, nested | {"thread_id": group}) == (422, "invalid")
    assert await refused(ada, "GET", f"{path}?thread_id={group}") == (404, "not_found")
    assert await refused(ada, "GET", f"{path}?thread_id={root['id']}&top_level=true") == (422, "invalid")
    assert (await ada.say(group, "an answer", reply_to=reply["id"]))["reply_to"] == reply["id"]
    await bob.delete(at(reply))
    assert (await ada.get(at(root)))["thread"] is None


async def test_team_point_18__system_message__cannot_be_touched__and_counts_nowhere(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group = (await group_of(ada, bob, system_messages=True))["id"]
    path = f"/v1/conversations/{group}"
    live = await bob.connect()
    await ada.patch(path, {"title": "Renamed"})
    said = await receives(live, "message:new")
    updated = await receives(live, "conversation:updated", title="Renamed")

    assert (said["sender_id"], said["client_message_id"], said["mentions"]) == (ada.id, f"sys_{said['id']}", [])
    assert said["change_seq"] == updated["change_seq"] + 1
    seen = await bob.get(path)
    assert (seen["unread_count"], seen["last_message"]["id"]) == (0, said["id"])
    assert (await ada.get(path))["read_seq"] == 0
    assert (await bob.get("/v1/search/messages?q=renamed"))["items"] == []
    for method, there, json in (
        ("PATCH", "", {"body": "x"}),
        ("DELETE", "", None),
        ("PUT", "/reactions/👍", None),
        ("PUT", "/pin", None),
        ("POST", "/report", {"reason": "spam"}),
    ):
        assert await refused(ada, method, at(said) + there, json) == (403, "forbidden")
    for field in ("reply_to", "thread_id"):
        new = {"client_message_id": new_name(), "body": "x", field: said["id"]}
        assert await refused(ada, "POST", f"{path}/messages", new) == (422, "invalid")
    before = (await ada.get(path))["last_seq"]
    await ada.patch(path, {"title": "Renamed"})
    await ada.put(f"{path}/bans/{bob.id}", {})
    last = (await ada.get(path))["last_message"]
    assert (last["seq"], last["system"]) == (before + 1, {"type": "member_removed", "user_ids": [bob.id], "by": ada.id})


async def test_team_point_27__pins_revisions_and_forwards__in_their_details(users: Users) -> None:
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = (await ada.group_with(bob, eve))["id"]
    path = f"/v1/conversations/{group}/messages"
    message = await bob.say(group, f"@{eve.username} one")
    live = await eve.connect()
    await ada.put(f"{at(message)}/pin")
    await receives(live, "message:updated", pinned_by=ada.id)
    await receives(live, "conversation:updated", pins_count=1)
    await bob.put(f"{at(message)}/pin")
    assert (await eve.get(at(message)))["pinned_by"] == ada.id
    edited = await bob.patch(at(message), {"body": "two"})
    assert (await bob.get(f"{at(message)}/revisions"))["items"] == [
        {"body": f"@{eve.username} one", "edited_at": edited["edited_at"]}
    ]
    forward = {"conversation_id": group, "message_id": message["id"]}
    new = {"client_message_id": new_name(), "forward": forward}
    for more in ({"body": "x"}, {"file_ids": [group]}):
        assert await refused(ada, "POST", path, new | more) == (422, "invalid")
    of_live = await live.done("message:send", new | {"conversation_id": group})
    twice = await ada.say(group, "x") and await ada.post(
        path, {"client_message_id": new_name(), "forward": forward | {"message_id": of_live["message"]["id"]}}
    )
    assert (twice["forwarded_from"]["message_id"], twice["mentions"]) == (of_live["message"]["id"], [])
    await bob.delete(at(message))
    assert await refused(ada, "POST", path, new | {"client_message_id": new_name()}) == (422, "invalid")
    assert await refused(ada, "PUT", f"{at(message)}/pin") == (422, "invalid")


async def test_team_point_28__push_of_a_reply__follows_levels__and_text_is_cut(users: Users) -> None:
    ada, bob, eve, root = await talk(users)
    group = root["conversation_id"]
    of_ada, of_eve = await phone_of(ada), await phone_of(eve)
    await ada.put("/v1/notification-settings", {"content": "sender"})
    long = await bob.say(group, "x" * 300, **inside(root))
    mention = await bob.say(group, f"@{eve.username}", **inside(root))

    pushed = data(await of_ada.gets(long))
    assert (pushed["text"], pushed["sender_name"], pushed["title"], pushed["thread_id"]) == (
        "",
        "Bob",
        "A group",
        root["id"],
    )
    assert data(await of_eve.gets(mention))["text"] == f"@{eve.username}"
    shown = await bob.say(group, "y" * 300)
    text = data(await of_eve.gets(shown))["text"]
    assert (len(text), text[:199]) == (200, "y" * 199)
    assert long["id"] not in [data(push)["message_id"] for push in await of_eve.pushes()]


async def test_team_point_30__bounds__of_details_reasons_and_metadata(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    group, direct = await ada.group_with(bob), await ada.direct_with(bob)
    path = f"/v1/conversations/{group['id']}"
    for field, good, bad in (
        ("description", "two\nlines" + "x" * 990, "x" * 1_001),
        ("avatar_url", "https://example.org/a.png", "http://example.org/a.png"),
        ("slow_mode_s", 21_600, 21_601),
        ("metadata", {"n": "x" * 4_000}, {"n": "x" * 4_090}),
    ):
        assert (await ada.patch(path, {field: good}))[field] == good
        assert await refused(ada, "PATCH", path, {field: bad}) == (422, "invalid")
        assert await refused(ada, "PATCH", f"/v1/conversations/{direct['id']}", {field: good}) == (422, "invalid")
    await ada.patch(path, {"slow_mode_s": 0})
    message = await ada.say(group["id"], "hello", metadata={"a": [1]})
    assert await refused(bob, "POST", f"{at(message)}/report", {"reason": "x" * 501}) == (422, "invalid")
    deep: Any = 1
    for _ in range(17):
        deep = [deep]
    assert await refused(ada, "PATCH", path, {"metadata": {"n": deep}}) == (422, "invalid")
    assert (await ada.patch(path, {"metadata": {"other": 1}}))["metadata"] == {"other": 1}
    marked = await bob.patch(f"{path}/me", {"unread": True})
    assert marked["me"]["marked_unread_at"] is not None
    await bob.post(f"{path}/read", {"seq": message["seq"]})
    await eventually(lambda: _unmarked(bob, path))


async def _unmarked(user: User, path: str) -> bool:
    return bool((await user.get(path))["me"]["marked_unread_at"] is None)
