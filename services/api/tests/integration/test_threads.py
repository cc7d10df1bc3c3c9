"""Threads: what replies do to their root, to unread counts, to who follows, and what is read of them."""

import asyncio
from typing import Any

import pytest
from prometheus_client import REGISTRY
from synctalk_contracts.commands import SendMessage
from synctalk_contracts.fanout import RoomEvent
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, User


def at(message: Json) -> str:
    return f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"


async def seen(user: User, message: Json) -> Json:
    found: Json = await user.get(at(message))
    return found


async def reply(user: User, root: Json, body: str = "reply", **fields: Any) -> Json:
    return await user.send(root["conversation_id"], body, thread_id=root["id"], **fields)


async def view(user: User, message: Json) -> Json:
    found: Json = await user.get(f"/v1/conversations/{message['conversation_id']}")
    return found


async def threads(user: User, **params: str) -> list[Json]:
    items: list[Json] = (await user.get("/v1/threads", params=params))["items"]
    return items


async def followed(user: User, root: Json) -> Json | None:
    return next((each for each in await threads(user) if each["root"]["id"] == root["id"]), None)


def events(api: Api, root: Json, kind: str) -> list[RoomEvent]:
    return [event for event in api.redis.room_events(root["conversation_id"]) if event.event == kind]


async def talk(api: Api, count: int = 2) -> tuple[list[User], Json]:
    """Return the members of a group, and a message of the first."""
    users = await api.users(count)
    group = await users[0].group(*users[1:])
    return users, await users[0].send(group["id"], "root")


async def test_thread__of_an_unrelated_user__is_not_there(api: Api) -> None:
    _, root = await talk(api)
    eve = await api.user()

    responses = [
        await eve.call("PUT", f"{at(root)}/follow"),
        await eve.call("DELETE", f"{at(root)}/follow"),
        await eve.call("POST", f"{at(root)}/read", {"seq": 1}),
        await eve.call(
            "GET", f"/v1/conversations/{root['conversation_id']}/messages", params={"thread_id": root["id"]}
        ),
        await eve.call("GET", "/v1/search/messages", params={"thread_id": root["id"]}),
    ]

    assert {(response.status, response.code) for response in responses} == {(404, "not_found")}


async def test_thread_id__that_is_no_root__is_invalid(api: Api) -> None:
    (ada, _), root = await talk(api)
    inside = await reply(ada, root)
    elsewhere = await ada.send((await ada.group())["id"])
    path = f"/v1/conversations/{root['conversation_id']}/messages"

    for thread_id in (new_id(), inside["id"], elsewhere["id"]):
        body = {"client_message_id": new_id(), "body": "reply", "thread_id": thread_id}
        assert (await ada.call("POST", path, body)).fields == {"thread_id"}
    body = {"client_message_id": new_id(), "body": "reply", "also_in_conversation": True}
    assert (await ada.call("POST", path, body)).fields == {"also_in_conversation"}
    for method, sub_path, mark in (("PUT", "follow", None), ("DELETE", "follow", None), ("POST", "read", {"seq": 1})):
        assert (await ada.call(method, f"{at(inside)}/{sub_path}", mark)).fields == {"thread_id"}
        assert (await ada.call(method, f"{path}/{new_id()}/{sub_path}", mark)).status == 404
    assert (await ada.call("GET", path, params={"thread_id": inside["id"]})).fields == {"thread_id"}
    assert (await ada.call("GET", path, params={"thread_id": new_id()})).status == 404
    both = {"thread_id": root["id"], "top_level": "true"}
    assert (await ada.call("GET", path, params=both)).fields == {"thread_id"}


async def test_system_message__is_no_root(api: Api) -> None:
    ada = await api.user()
    body = {"type": "group", "title": "A group", "member_ids": [], "system_messages": True}
    group = await ada.post("/v1/conversations", body)
    path = f"/v1/conversations/{group['id']}/messages"
    (created,) = (await ada.get(path))["items"]

    sent = await ada.call("POST", path, {"client_message_id": new_id(), "body": "reply", "thread_id": created["id"]})
    read = await ada.call("POST", f"{at(created)}/read", {"seq": 1})

    assert (sent.fields, read.fields) == ({"thread_id"}, {"thread_id"})


async def test_replies__are_summed_up_by_their_root__with_the_same_number(api: Api) -> None:
    users, root = await talk(api, 7)
    await api.subscribe(root["conversation_id"])

    replies = [await reply(user, root) for user in (users[1], users[2], users[1], *users[3:])]

    now = await seen(users[0], root)
    assert now["thread"] == {
        "reply_count": 7,
        "last_reply_at": replies[-1]["created_at"],
        "last_seq": replies[-1]["seq"],
        "participant_ids": [user.id for user in users[1:6]],
    }
    assert now["change_seq"] == replies[-1]["change_seq"]
    assert replies[0] | {"thread": None} == await seen(users[0], replies[0])
    assert (replies[0]["thread_id"], replies[0]["also_in_conversation"]) == (root["id"], False)
    await eventually(lambda: len(events(api, root, "thread:changed")) == 7)
    last = events(api, root, "thread:changed")[-1]
    assert (last.change_seq, last.origin) == (None, None)
    assert last.payload == {
        "conversation_id": root["conversation_id"],
        "thread_id": root["id"],
        "thread": now["thread"],
        "change_seq": now["change_seq"],
    }
    assert events(api, root, "message:updated") == []


async def test_sync__gives_reply_and_root__and_no_page_ends_between(api: Api) -> None:
    (ada, ben), root = await talk(api)
    path = {"cursors": {root["conversation_id"]: root["change_seq"]}}
    replies = [await reply(ben, root, str(n)) for n in range(3)]
    # Only one row more than fits: the root's change is that of the last reply.
    await ada.put(f"{at(root)}/reactions/👍")
    await reply(ben, root, "last")

    (state,) = (await ada.post("/v1/sync", path))["conversations"].values()

    assert [message["id"] for message in state["messages"][:3]] == [each["id"] for each in replies]
    last_two = state["messages"][-2:]
    assert {message["body"] for message in last_two} == {"last", "root"}
    assert len({message["change_seq"] for message in last_two}) == 1


async def test_reply__leaves_the_conversation_unread_as_it_was(api: Api) -> None:
    (ada, ben), root = await talk(api)
    await ada.post(f"/v1/conversations/{root['conversation_id']}/read", {"seq": root["seq"]})
    before = await view(ada, root)

    await reply(ben, root, f"@{ada.profile.username}")
    after = await view(ada, root)
    both = await reply(ben, root, f"@{ada.profile.username}", also_in_conversation=True)
    shown = await view(ada, root)

    assert (after["unread_count"], after["me"], after["read_seq"]) == (0, before["me"], before["read_seq"])
    assert (shown["unread_count"], shown["me"]["mention_count"]) == (1, 1)
    assert shown["me"]["first_unread_seq"] == both["seq"]


async def test_reply__raises_only_the_senders_thread_watermark(api: Api) -> None:
    (_, ben), root = await talk(api)

    inside = await reply(ben, root)
    after_reply = await view(ben, root)
    thread = await followed(ben, root)
    both = await reply(ben, root, also_in_conversation=True)

    assert (after_reply["read_seq"], after_reply["unread_count"]) == (0, 1)
    assert thread is not None
    assert (thread["read_seq"], thread["unread_count"]) == (inside["seq"], 0)
    assert (await view(ben, root))["read_seq"] == both["seq"]


async def test_hidden_conversation__stays_hidden_with_a_reply__not_with_one_that_it_shows(api: Api) -> None:
    (ada, ben), root = await talk(api)
    await ada.patch(f"/v1/conversations/{root['conversation_id']}/me", {"hidden": True})

    await reply(ben, root)
    still = (await view(ada, root))["me"]["hidden_at"]
    await reply(ben, root, also_in_conversation=True)

    assert still is not None
    assert (await view(ada, root))["me"]["hidden_at"] is None


async def test_history__of_a_thread_and_of_the_top_level(api: Api) -> None:
    (ada, ben), root = await talk(api)
    inside = [await reply(ben, root, str(n)) for n in range(3)]
    both = await reply(ben, root, "both", also_in_conversation=True)
    after = await ada.send(root["conversation_id"], "after")
    path = f"/v1/conversations/{root['conversation_id']}/messages"

    in_thread = await ada.list(f"{path}?thread_id={root['id']}&after_seq=0", 3)
    top_level = await ada.list(f"{path}?top_level=true&after_seq=0", 2)
    newest = (await ada.get(path, params={"thread_id": root["id"], "limit": "2"}))["items"]
    around = {"thread_id": root["id"], "around_seq": str(inside[1]["seq"]), "limit": "3"}
    unread = {"thread_id": root["id"], "around": "first_unread", "limit": "3"}
    from_time = {"top_level": "true", "at": root["created_at"]}

    assert [each["id"] for each in in_thread] == [each["id"] for each in (*inside, both)]
    assert [each["id"] for each in top_level] == [root["id"], both["id"], after["id"]]
    assert [each["id"] for each in newest] == [inside[2]["id"], both["id"]]
    assert [each["body"] for each in (await ada.get(path, params=around))["items"]] == ["0", "1", "2"]
    assert [each["body"] for each in (await ada.get(path, params=unread))["items"]] == ["0", "1"]
    assert [each["body"] for each in (await ada.get(path, params=from_time))["items"]] == ["root", "both", "after"]


async def test_search__in_a_thread__finds_its_replies_alone(api: Api) -> None:
    (ada, ben), root = await talk(api)
    await reply(ben, root, "tea inside")
    await ben.send(root["conversation_id"], "tea outside")

    hits = (await ada.get("/v1/search/messages", params={"q": "tea", "thread_id": root["id"]}))["items"]
    alone = (await ada.get("/v1/search/messages", params={"thread_id": root["id"]}))["items"]

    assert [hit["message"]["body"] for hit in hits] == ["tea inside"]
    assert [hit["message"]["body"] for hit in alone] == ["tea inside"]


async def test_deleted_replies__leave_the_sum(api: Api) -> None:
    (ada, ben, eve), root = await talk(api, 3)
    inside = [await reply(user, root) for user in (ben, eve, ben)]
    await api.subscribe(root["conversation_id"])

    await ben.delete(at(inside[0]))
    after_one = await seen(ada, root)
    deleted = await seen(ada, inside[0])
    for message in inside[1:]:
        await ada.delete(at(message))
    none = await seen(ada, root)

    assert after_one["thread"] == {
        "reply_count": 2,
        "last_reply_at": inside[2]["created_at"],
        "last_seq": inside[2]["seq"],
        "participant_ids": [eve.id, ben.id],
    }
    assert after_one["change_seq"] == deleted["change_seq"]
    assert deleted["thread_id"] == root["id"]
    assert none["thread"] is None
    await eventually(lambda: len(events(api, root, "thread:changed")) == 3)
    assert events(api, root, "thread:changed")[-1].payload["thread"] is None
    assert ((await followed(ada, root)), (await threads(ben))) == (None, [])


async def test_deleted_root__keeps_its_thread_and_takes_replies(api: Api) -> None:
    (ada, ben), root = await talk(api)
    await reply(ben, root)

    await ada.delete(at(root))
    kept = (await seen(ada, root))["thread"]
    await reply(ben, root)

    assert kept["reply_count"] == 1
    assert (await seen(ada, root))["thread"]["reply_count"] == 2


async def test_repeat__with_another_thread__is_refused(api: Api) -> None:
    (ada, _), root = await talk(api)
    sent = await reply(ada, root)
    again = {"client_message_id": sent["client_message_id"], "body": "reply"}
    path = f"/v1/conversations/{root['conversation_id']}/messages"

    same = await ada.call("POST", path, {**again, "thread_id": root["id"]})
    both = {**again, "thread_id": root["id"], "also_in_conversation": True}
    others = [await ada.call("POST", path, each) for each in (again, both)]

    assert (same.status, same.body) == (200, sent)
    assert {each.code for each in others} == {"client_message_id_reused"}
    assert (await seen(ada, root))["thread"]["reply_count"] == 1


async def test_replies__in_one_batch_to_several_roots__are_all_summed_up(api: Api) -> None:
    (ada, ben), root = await talk(api)
    other = await ada.send(root["conversation_id"])
    commands = [
        SendMessage(
            conversation_id=root["conversation_id"],
            user_id=user.id,
            client_message_id=new_id(),
            body=f"@{ada.profile.username}",
            thread_id=thread["id"] if thread else None,
        )
        for user, thread in ((ada, root), (ben, root), (ben, None), (ben, other), (ben, root))
    ]

    replies = [each["result"]["message"] for each in await api.commands(commands)]

    assert (await seen(ada, root))["thread"] == {
        "reply_count": 3,
        "last_reply_at": replies[4]["created_at"],
        "last_seq": replies[4]["seq"],
        "participant_ids": [ada.id, ben.id],
    }
    assert (await seen(ada, other))["thread"]["reply_count"] == 1
    thread = await followed(ada, root)
    assert thread is not None
    assert (thread["unread_count"], thread["mention_count"]) == (2, 2)


async def test_replies_at_once__count_each(api: Api) -> None:
    users, root = await talk(api, 4)

    await asyncio.gather(*(reply(user, root, str(n)) for user in users for n in range(5)))

    thread = (await seen(users[0], root))["thread"]
    in_thread = await users[0].list(
        f"/v1/conversations/{root['conversation_id']}/messages?thread_id={root['id']}&after_seq=0", 7
    )
    assert thread["reply_count"] == len(in_thread) == 20
    assert thread["last_seq"] == in_thread[-1]["seq"]
    assert thread["participant_ids"] == list(dict.fromkeys(each["sender_id"] for each in in_thread))


async def test_reply__while_its_root_is_deleted__is_counted_all_the_same(api: Api) -> None:
    (ada, ben), root = await talk(api)

    await asyncio.gather(ada.delete(at(root)), *(reply(ben, root) for _ in range(5)))

    now = await seen(ada, root)
    assert (now["body"], now["thread"]["reply_count"]) == ("", 5)


async def test_reply_and_deletions_at_once__leave_the_right_sum(api: Api) -> None:
    (ada, ben), root = await talk(api)
    inside = [await reply(ben, root) for _ in range(5)]

    await asyncio.gather(*(ben.delete(at(each)) for each in inside), *(reply(ada, root) for _ in range(5)))

    thread = (await seen(ada, root))["thread"]
    assert (thread["reply_count"], thread["participant_ids"]) == (5, [ada.id])


@pytest.mark.parametrize("in_thread", [False, True])
async def test_message__costs_further_statements_only_in_a_thread(api: Api, in_thread: bool) -> None:
    (ada, _), root = await talk(api)
    before = _calls()

    await ada.send(root["conversation_id"], "hello", **({"thread_id": root["id"]} if in_thread else {}))

    assert (_calls() > before) is in_thread


def _calls() -> float:
    return sum(
        sample.value
        for metric in REGISTRY.collect()
        for sample in metric.samples
        if sample.name.endswith("_count") and sample.labels.get("query", "").startswith("threads.")
    )
