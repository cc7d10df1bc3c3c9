"""Who follows a thread, how far they have read it, and the list of those that one follows."""

from typing import Any

from synctalk_contracts.commands import MarkThreadRead
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api
from services.api.tests.integration.test_threads import at, events, followed, reply, talk, threads, view


async def test_following__begins_by_writing_the_root_answering_or_being_mentioned(api: Api) -> None:
    (ada, ben, eve, dan), root = await talk(api, 4)

    first = await reply(ben, root)
    await reply(ben, root, f"@{eve.profile.username}")

    states = {user.id: await followed(user, root) for user in (ada, ben, eve, dan)}
    assert states[dan.id] is None
    shown = {
        user_id: (state["read_seq"], state["unread_count"], state["mention_count"])
        for user_id, state in states.items()
        if state
    }
    assert shown == {
        ada.id: (root["seq"], 2, 0),
        ben.id: (first["seq"] + 1, 0, 0),
        eve.id: (first["seq"], 1, 1),
    }


async def test_root_without_replies__is_not_listed(api: Api) -> None:
    (ada, _), root = await talk(api)

    await ada.put(f"{at(root)}/follow")

    assert await threads(ada) == []


async def test_mention_of_everybody__in_a_thread__counts_for_followers(api: Api) -> None:
    (ada, ben, eve), root = await talk(api, 3)

    await reply(ben, root, "@all")

    assert ((await followed(ada, root)) or {})["mention_count"] == 1
    assert await followed(eve, root) is None
    assert (await view(eve, root))["me"]["mention_count"] == 0
    assert [hit["message"]["body"] for hit in (await ada.get("/v1/mentions"))["items"]] == ["@all"]
    assert (await eve.get("/v1/mentions"))["items"] == []
    assert (await ben.get("/v1/mentions"))["items"] == []


async def test_edit_that_mentions__begins_following_below_the_reply(api: Api) -> None:
    (_, ben, eve), root = await talk(api, 3)
    inside = await reply(ben, root)
    await reply(ben, root)

    await ben.patch(at(inside), {"body": f"@{eve.profile.username}"})

    thread = await followed(eve, root)
    assert thread is not None
    assert (thread["read_seq"], thread["unread_count"], thread["mention_count"]) == (inside["seq"] - 1, 2, 1)


async def test_follow__begins_at_the_last_reply__and_repeats_change_nothing(api: Api) -> None:
    (_, ben, eve), root = await talk(api, 3)
    inside = await reply(ben, root)
    await api.subscribe(root["conversation_id"])

    for _ in range(2):
        await eve.put(f"{at(root)}/follow")
    begun = await followed(eve, root)
    for _ in range(2):
        await eve.delete(f"{at(root)}/follow")
    await reply(ben, root)

    assert begun is not None
    assert (begun["following"], begun["read_seq"], begun["unread_count"]) == (True, inside["seq"], 0)
    assert await followed(eve, root) is None
    await eventually(lambda: len(events(api, root, "thread:updated")) == 3)
    own = [event.payload for event in events(api, root, "thread:updated") if event.user_id == eve.id]
    assert [state["following"] for state in own] == [True, False]


async def test_unfollowed__is_followed_again_by_a_mention__not_by_a_reply(api: Api) -> None:
    (ada, ben), root = await talk(api)
    await ada.delete(f"{at(root)}/follow")

    await reply(ben, root)
    unfollowed = await followed(ada, root)
    mention = await reply(ben, root, f"@{ada.profile.username}")

    assert unfollowed is None
    assert ((await followed(ada, root)) or {})["read_seq"] == mention["seq"] - 1


async def test_leaving__ends_all_follows_there(api: Api) -> None:
    (ada, ben), root = await talk(api)
    await reply(ben, root)

    await ben.delete(f"/v1/conversations/{root['conversation_id']}/members/{ben.id}")
    await ada.post(f"/v1/conversations/{root['conversation_id']}/members", {"user_ids": [ben.id]})
    await reply(ada, root)

    assert await threads(ben) == []


async def test_thread_read__only_rises_and_is_cut_to_the_last_reply(api: Api) -> None:
    (ada, ben), root = await talk(api)
    inside = [await reply(ben, root) for _ in range(3)]
    await ben.send(root["conversation_id"])
    await api.subscribe(root["conversation_id"])
    read = []

    for seq in (inside[1]["seq"], inside[0]["seq"], 2**63 - 1):
        await ada.post(f"{at(root)}/read", {"seq": seq})
        thread = await followed(ada, root)
        assert thread is not None
        read.append((thread["read_seq"], thread["unread_count"]))

    assert read == [(inside[1]["seq"], 1), (inside[1]["seq"], 1), (inside[2]["seq"], 0)]
    assert (await view(ada, root))["read_seq"] == root["seq"]
    await eventually(lambda: len(events(api, root, "thread:updated")) == 2)


async def test_thread_read__by_a_socket__goes_to_the_other_sockets(api: Api) -> None:
    (ada, ben), root = await talk(api)
    inside = await reply(ben, root)
    await api.subscribe(root["conversation_id"])
    mark: dict[str, Any] = {"conversation_id": root["conversation_id"], "user_id": ada.id, "seq": inside["seq"]}

    replies = await api.commands(
        [
            MarkThreadRead(thread_id=root["id"], **mark),
            MarkThreadRead(thread_id=new_id(), **mark),
            MarkThreadRead(thread_id=inside["id"], **mark),
        ]
    )

    assert [(each["error"] or {}).get("code") for each in replies] == [None, "not_found", "invalid"]
    await eventually(lambda: len(events(api, root, "thread:updated")) == 1)
    (event,) = events(api, root, "thread:updated")
    assert (event.user_id, event.origin) == (ada.id, "socket-1")
    assert event.payload == {
        "conversation_id": root["conversation_id"],
        "thread_id": root["id"],
        "following": True,
        "read_seq": inside["seq"],
        "unread_count": 0,
        "mention_count": 0,
    }


async def test_conversation_read__touches_no_thread(api: Api) -> None:
    (ada, ben), root = await talk(api)
    inside = await reply(ben, root)

    await ada.post(f"/v1/conversations/{root['conversation_id']}/read", {"seq": inside["seq"]})

    assert ((await followed(ada, root)) or {})["unread_count"] == 1


async def test_threads__are_listed_last_reply_first__the_unread_alone_where_asked(api: Api) -> None:
    (ada, ben), first = await talk(api)
    roots = [first, *[await ada.send(first["conversation_id"], f"root {n}") for n in range(4)]]
    for root in roots:
        await reply(ben, root)
    await reply(ben, roots[1])
    await ada.post(f"{at(roots[2])}/read", {"seq": 2**63 - 1})
    order = [roots[n]["id"] for n in (1, 4, 3, 2, 0)]

    walked = [each["root"]["id"] for each in await ada.list("/v1/threads", 2)]
    unread = [each["root"]["id"] for each in await ada.list("/v1/threads?unread=true", 2)]

    assert walked == order
    assert unread == [each for each in order if each != roots[2]["id"]]


async def test_threads__walked_while_others_reply__show_each_once(api: Api) -> None:
    (ada, ben), first = await talk(api)
    roots = [first, *[await ada.send(first["conversation_id"]) for _ in range(5)]]
    for root in roots:
        await reply(ben, root)
    walked: list[str] = []
    cursor = None

    for root in roots:
        page = await ada.get("/v1/threads", params={"limit": "1"} | ({"cursor": cursor} if cursor else {}))
        walked += [each["root"]["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        await reply(ben, root)

    assert sorted(walked) == sorted(root["id"] for root in roots)
    assert cursor is None


async def test_pushes__of_replies__are_read_by_the_threads_watermark(api: Api) -> None:
    (ada, ben), root = await talk(api)
    inside = await reply(ben, root)
    both = await reply(ben, root, also_in_conversation=True)

    async def read() -> list[bool]:
        items = [
            {"user_id": ada.id, "conversation_id": root["conversation_id"], "seq": each["seq"]}
            for each in (inside, both)
        ]
        answers = (await api.internal("POST", "/internal/pushes", {"items": items})).body["items"]
        return [each["read"] for each in answers]

    async def badge() -> int:
        items = [{"user_id": ada.id, "conversation_id": root["conversation_id"], "seq": inside["seq"]}]
        answers = (await api.internal("POST", "/internal/pushes", {"items": items})).body["items"]
        found: int = answers[0]["badge"]
        return found

    unread = await read(), await badge()
    await ada.post(f"/v1/conversations/{root['conversation_id']}/read", {"seq": both["seq"]})
    read_in_the_conversation = await read()
    await ada.post(f"{at(root)}/read", {"seq": inside["seq"]})

    assert unread == ([False, False], 1)
    assert read_in_the_conversation == [False, True]
    assert await read() == [True, True]


async def test_followers__are_given_to_notifier_in_the_order_asked(api: Api) -> None:
    (ada, ben, eve), root = await talk(api, 3)
    await reply(ben, root)
    await eve.post(f"{at(root)}/read", {"seq": 5})
    items = [
        {"conversation_id": root["conversation_id"], "thread_id": thread_id} for thread_id in (new_id(), root["id"])
    ]

    answer = (await api.internal("POST", "/internal/threads/followers", {"items": items})).body["items"]

    assert [sorted(each) for each in answer] == [[], sorted([ada.id, ben.id])]


async def test_archived__can_be_followed_and_read__not_replied_in(api: Api) -> None:
    (ada, ben), root = await talk(api)
    inside = await reply(ben, root)
    await ada.put(f"/v1/conversations/{root['conversation_id']}/archive")

    body = {"client_message_id": new_id(), "body": "reply", "thread_id": root["id"]}
    sent = await ben.call("POST", f"/v1/conversations/{root['conversation_id']}/messages", body)
    await ada.post(f"{at(root)}/read", {"seq": inside["seq"]})
    await ada.delete(f"{at(root)}/follow")

    assert sent.status == 403
    assert await threads(ada) == []
