"""Threads: answers to a message, beside the conversation."""

from typing import Any

from synctalk_testkit.clients import LiveSocket, User, Users

from tests.e2e.test_push import data, phone_of


async def talk(users: Users) -> tuple[User, User, User, dict[str, Any]]:
    """Return the members of a group, and a message of the first."""
    ada, bob, eve = await users.register_all("Ada", "Bob", "Eve")
    group = (await ada.group_with(bob, eve))["id"]
    return ada, bob, eve, await ada.say(group, "Where do we meet?")


def at(message: dict[str, Any]) -> str:
    return f"/v1/conversations/{message['conversation_id']}/messages/{message['id']}"


def inside(root: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"thread_id": root["id"], **fields}


async def receives(live: LiveSocket, event: str, **fields: Any) -> dict[str, Any]:
    payload: dict[str, Any] = await live.wait_for(event, lambda payload: fields.items() <= payload.items())
    return payload


async def test_team_threads_1__reply__by_socket_or_rest__is_in_the_thread__and_its_root_says_so(users: Users) -> None:
    ada, bob, _, root = await talk(users)
    of_ada, of_bob = await ada.connect(), await bob.connect()
    first = await of_bob.say(root["conversation_id"], "At the station", **inside(root))
    second = await ada.say(root["conversation_id"], "Fine", **inside(root, also_in_conversation=True))

    assert (first["thread_id"], first["also_in_conversation"], first["thread"]) == (root["id"], False, None)
    assert (second["thread_id"], second["also_in_conversation"]) == (root["id"], True)
    now = await ada.get(at(root))
    assert now["thread"] == {
        "reply_count": 2,
        "last_reply_at": second["created_at"],
        "last_seq": second["seq"],
        "participant_ids": [bob.id, ada.id],
    }
    assert now["change_seq"] == second["change_seq"]
    assert await receives(of_ada, "message:new", id=first["id"]) == first
    for live in (of_ada, of_bob):
        changed = await receives(live, "thread:changed", change_seq=second["change_seq"])
        assert changed == {
            "conversation_id": root["conversation_id"],
            "thread_id": root["id"],
            "thread": now["thread"],
            "change_seq": now["change_seq"],
        }
        assert live.of("message:updated") == []


async def test_team_threads_6__many_replies__change_the_root_twice_a_second_at_most__and_the_last_comes(
    users: Users,
) -> None:
    ada, bob, _, root = await talk(users)
    live = await ada.connect()
    replies = [await bob.say(root["conversation_id"], f"{n}", **inside(root)) for n in range(15)]
    last = await receives(live, "thread:changed", change_seq=replies[-1]["change_seq"])

    assert last["thread"]["reply_count"] == 15
    assert len(live.of("thread:changed")) < 15
    assert len(live.of("message:new")) == 15


async def test_team_threads_2__history__of_the_thread__of_the_top_level__and_of_all(users: Users) -> None:
    ada, bob, _, root = await talk(users)
    only = await bob.say(root["conversation_id"], "At the station", **inside(root))
    both = await bob.say(root["conversation_id"], "At noon", **inside(root, also_in_conversation=True))
    path = f"/v1/conversations/{root['conversation_id']}/messages"

    async def ids(query: str) -> list[str]:
        return [message["id"] for message in (await ada.get(path + query))["items"]]

    assert await ids(f"?thread_id={root['id']}") == [only["id"], both["id"]]
    assert await ids("?top_level=true") == [root["id"], both["id"]]
    assert await ids("") == [root["id"], only["id"], both["id"]]
    assert (await ada.request("GET", f"{path}?thread_id={only['id']}")).status == 422
    assert (await ada.request("GET", f"{path}?thread_id={root['id']}&top_level=true")).status == 422


async def test_team_threads_3__threads__of_who_follows__with_what_is_unread(users: Users) -> None:
    ada, bob, eve, root = await talk(users)
    await bob.say(root["conversation_id"], "At the station", **inside(root))
    mention = await bob.say(root["conversation_id"], f"@{eve.username}, will you come?", **inside(root))

    (of_ada,) = (await ada.get("/v1/threads"))["items"]
    (of_eve,) = (await eve.get("/v1/threads?unread=true"))["items"]
    assert of_ada == {
        "conversation_id": root["conversation_id"],
        "root": await ada.get(at(root)),
        "following": True,
        "read_seq": root["seq"],
        "unread_count": 2,
        "mention_count": 0,
    }
    assert (of_eve["read_seq"], of_eve["unread_count"], of_eve["mention_count"]) == (mention["seq"] - 1, 1, 1)
    assert (await bob.get("/v1/threads?unread=true"))["items"] == []
    assert (await ada.get(f"/v1/conversations/{root['conversation_id']}"))["unread_count"] == 0


async def test_team_threads_4__follow_and_unfollow__reach_ones_own_sockets(users: Users) -> None:
    ada, bob, eve, root = await talk(users)
    live, of_bob = await eve.connect(), await bob.connect()
    await bob.say(root["conversation_id"], "At the station", **inside(root))
    await eve.put(f"{at(root)}/follow")

    begun = await receives(live, "thread:updated", following=True)
    assert (begun["thread_id"], begun["unread_count"]) == (root["id"], 0)
    assert [each["root"]["id"] for each in (await eve.get("/v1/threads"))["items"]] == [root["id"]]
    await eve.delete(f"{at(root)}/follow")
    await receives(live, "thread:updated", following=False)
    assert (await eve.get("/v1/threads"))["items"] == []
    assert all(each["read_seq"] != begun["read_seq"] or each["following"] for each in of_bob.of("thread:updated"))
    assert (await ada.request("PUT", f"{at(root)[:-4]}0000/follow")).status == 404


async def test_team_threads_5__thread_read__by_either_entry_point__rises_and_reaches_the_other_sockets(
    users: Users,
) -> None:
    ada, bob, _, root = await talk(users)
    replies = [await bob.say(root["conversation_id"], f"{n}", **inside(root)) for n in range(3)]
    reading, beside = await ada.connect(), await ada.connect()
    mark = {"conversation_id": root["conversation_id"], "thread_id": root["id"]}

    assert await reading.done("thread:read", {**mark, "seq": replies[1]["seq"]}) == {"ok": True}
    by_socket = await receives(beside, "thread:updated", read_seq=replies[1]["seq"])
    await ada.post(f"{at(root)}/read", {"seq": replies[0]["seq"]})
    await ada.post(f"{at(root)}/read", {"seq": replies[2]["seq"]})
    for live in (reading, beside):
        by_rest = await receives(live, "thread:updated", read_seq=replies[2]["seq"])
        assert by_rest["unread_count"] == 0

    assert by_socket == {
        **mark,
        "following": True,
        "read_seq": replies[1]["seq"],
        "unread_count": 1,
        "mention_count": 0,
    }
    assert [each["read_seq"] for each in reading.of("thread:updated")] == [replies[2]["seq"]]
    refused = await reading.refusal("thread:read", {**mark, "thread_id": replies[0]["id"], "seq": 1})
    assert refused["code"] == "invalid"


async def test_sync__gives_a_reply_and_its_root(users: Users) -> None:
    ada, bob, _, root = await talk(users)
    reply = await bob.say(root["conversation_id"], "At the station", **inside(root))
    live = await ada.connect()

    ack = await live.done("sync", {"cursors": {root["conversation_id"]: root["change_seq"]}})

    messages = ack["conversations"][root["conversation_id"]]["messages"]
    assert sorted(each["id"] for each in messages) == sorted([root["id"], reply["id"]])
    assert {each["change_seq"] for each in messages} == {reply["change_seq"]}


async def test_search__in_a_thread(users: Users) -> None:
    ada, bob, _, root = await talk(users)
    reply = await bob.say(root["conversation_id"], "At the station", **inside(root))
    await bob.say(root["conversation_id"], "The station is closed")

    hits = (await ada.get(f"/v1/search/messages?q=station&thread_id={root['id']}"))["items"]

    assert [hit["message"]["id"] for hit in hits] == [reply["id"]]


async def test_push__of_a_reply__goes_to_who_follows__and_is_retracted_by_reading_the_thread(users: Users) -> None:
    ada, bob, eve, root = await talk(users)
    of_ada, of_eve = await phone_of(ada), await phone_of(eve)
    reply = await bob.say(root["conversation_id"], "At the station", **inside(root))
    shown = await bob.say(root["conversation_id"], "I am there", **inside(root, also_in_conversation=True))

    assert data(await of_ada.gets(reply))["thread_id"] == root["id"]
    await of_eve.gets(shown)
    assert reply["id"] not in [data(push)["message_id"] for push in await of_eve.pushes()]
    await ada.post(f"{at(root)}/read", {"seq": shown["seq"]})
    retract = data(await of_ada.gets(shown, "retract"))
    assert (retract["thread_id"], retract["seq"]) == (root["id"], str(shown["seq"]))
