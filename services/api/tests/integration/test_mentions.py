"""`@all`, unread mentions, what a conversation is to oneself, and marking it unread."""

from synctalk_api.store import backfill
from synctalk_contracts.commands import MarkRead
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, User


async def me(user: User, conversation_id: str) -> Json:
    conversation = await user.get(f"/v1/conversations/{conversation_id}")
    state: Json = conversation["me"]
    return state


async def counts(user: User, conversation_id: str) -> tuple[int, int | None]:
    state = await me(user, conversation_id)
    return state["mention_count"], state["first_unread_seq"]


async def large_group(api: Api) -> tuple[Json, User, User, User]:
    """Return a group of 21, its owner, a moderator and a member."""
    ada, ben, *others = await api.users(21)
    group = await ada.group(ben, *others)
    await ada.patch(f"/v1/conversations/{group['id']}/members/{others[0].id}", {"role": "moderator"})
    return group, ada, others[0], ben


# ── @all ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_all__in_a_large_group__is_for_moderators_and_up(api: Api) -> None:
    group, ada, moderator, ben = await large_group(api)

    sent = [await user.send(group["id"], "@all look") for user in (ada, moderator, ben)]

    assert [message["mention_all"] for message in sent] == [True, True, False]
    assert all(message["mentions"] == [] for message in sent)


async def test_all__in_a_small_group__is_for_everybody_but_not_in_a_direct_conversation(api: Api) -> None:
    ada, ben = await api.users(2)
    group, direct = await ada.group(ben), await ada.direct(ben)

    assert (await ben.send(group["id"], "look, @ALL!"))["mention_all"] is True
    assert (await ben.send(group["id"], "mail me@all.org or `@all`"))["mention_all"] is False
    assert (await ben.send(direct["id"], "@all"))["mention_all"] is False


async def test_all__is_nobodys_name(api: Api) -> None:
    ada = await api.user()
    older = await api.user("All", username="all")
    group = await ada.group(older)

    message = await ada.send(group["id"], "@all")

    assert (message["mention_all"], message["mentions"]) == (True, [])


async def test_all__the_right_is_that_at_sending(api: Api) -> None:
    group, ada, _, ben = await large_group(api)
    path = f"/v1/conversations/{group['id']}"
    before = await ben.send(group["id"], "@all before")

    await ada.patch(f"{path}/members/{ben.id}", {"role": "admin"})
    promoted = await ben.send(group["id"], "@all after")

    assert (before["mention_all"], promoted["mention_all"]) == (False, True)
    assert await ada.get(f"{path}/messages/{before['id']}") == before


async def test_edit__recomputes_mentions_and_all(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    message = await ada.send(group["id"], f"@{ben.profile.username}")
    path = f"/v1/conversations/{group['id']}/messages/{message['id']}"

    edited = await ada.patch(path, {"body": f"@all and @{cleo.profile.username}"})

    assert (edited["mentions"], edited["mention_all"]) == ([cleo.id], True)
    assert await counts(cleo, group["id"]) == (1, 1)
    again = await ada.patch(path, {"body": f"@{cleo.profile.username}"})
    assert (again["mentions"], again["mention_all"]) == ([cleo.id], False)
    assert [await counts(user, group["id"]) for user in (ben, cleo)] == [(0, 1), (1, 1)]


async def test_delete__clears_mention_all_and_its_counts(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    message = await ada.send(group["id"], f"@all @{ben.profile.username}")
    path = f"/v1/conversations/{group['id']}/messages/{message['id']}"
    assert await counts(ben, group["id"]) == (1, 1)

    await ada.delete(path)

    assert (await ben.get(path))["mention_all"] is False
    assert await counts(ben, group["id"]) == (0, None)
    assert await api.sql("select from mentions where conversation_id = $1", group["id"]) == []


# ── me ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_me__counts_mentions_among_the_unread__and_names_the_first(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    name = f"@{ben.profile.username}"
    for body in ("one", name, "three", f"{name} @all", "@all"):
        await ada.send(group["id"], body)

    assert await me(ben, group["id"]) == {
        "pinned_at": None,
        "hidden_at": None,
        "marked_unread_at": None,
        "first_unread_seq": 1,
        "mention_count": 3,
    }
    assert [await counts(user, group["id"]) for user in (ada, cleo)] == [(0, None), (2, 1)]
    await ben.post(f"/v1/conversations/{group['id']}/read", {"seq": 2})
    assert await counts(ben, group["id"]) == (2, 3)
    messages = (await ben.get(f"/v1/conversations/{group['id']}/messages"))["items"]
    await ada.delete(f"/v1/conversations/{group['id']}/messages/{messages[2]['id']}")
    assert await counts(ben, group["id"]) == (2, 4)
    await ben.send(group["id"], "all read")
    assert await counts(ben, group["id"]) == (0, None)


async def test_me__comes_in_lists_and_sync_and_to_each_member_their_own(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await api.subscribe(group["id"])
    message = await ada.send(group["id"], "@all")
    await ada.patch(f"/v1/conversations/{group['id']}", {"title": "Renamed"})

    expected = await me(ben, group["id"])

    assert expected["mention_count"] == 1
    assert (await ben.get("/v1/conversations"))["items"][0]["me"] == expected
    synced = await ben.post("/v1/sync", {"cursors": {group["id"]: message["change_seq"]}})
    assert synced["conversations"][group["id"]]["conversation"]["me"] == expected
    await eventually(lambda: len(api.redis.room_events(group["id"])) == 2)
    views = api.redis.room_events(group["id"])[1].views or {}
    assert {user_id: view.me and view.me.mention_count for user_id, view in views.items()} == {ada.id: 0, ben.id: 1}


# ── marked unread ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_mark_unread__by_an_unrelated_user_or_of_something_else__is_refused(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    path = f"/v1/conversations/{(await ada.direct(ben))['id']}/me"

    assert (await eve.call("PATCH", path, {"unread": True})).status == 404
    for refused in ({"unread": False}, {"unread": "yes"}, {"mention_count": 0}):
        assert (await ada.call("PATCH", path, refused)).status == 422


async def test_mark_unread__goes_to_ones_own_sockets_and_ends_with_the_next_read(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    message = await ada.send(conversation["id"])
    path = f"/v1/conversations/{conversation['id']}"
    await ben.post(f"{path}/read", {"seq": 1})
    await api.subscribe(conversation["id"])

    marked = await ben.patch(f"{path}/me", {"unread": True})
    again = await ben.patch(f"{path}/me", {"unread": True})

    assert marked["me"]["marked_unread_at"] is not None
    assert (again, marked["unread_count"], marked["change_seq"]) == (marked, 0, message["change_seq"])
    assert (await me(ada, conversation["id"]))["marked_unread_at"] is None
    await api.command(MarkRead(conversation_id=conversation["id"], user_id=ben.id, seq=1))
    assert (await me(ben, conversation["id"]))["marked_unread_at"] is None
    await eventually(lambda: len(api.redis.room_events(conversation["id"])) == 2)
    events = api.redis.room_events(conversation["id"])
    assert [(event.event, event.change_seq, list(event.views or {})) for event in events] == [
        ("conversation:updated", None, [ben.id])
    ] * 2


async def test_mark_unread__a_receipt_keeps_it_and_an_own_message_ends_it(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    path = f"/v1/conversations/{conversation['id']}"
    await ben.patch(f"{path}/me", {"unread": True})

    await ada.send(conversation["id"])
    assert (await me(ben, conversation["id"]))["marked_unread_at"] is not None
    await ben.send(conversation["id"])
    assert (await me(ben, conversation["id"]))["marked_unread_at"] is None


async def test_backfill__of_mentions_from_before__counts_them(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await ada.send(group["id"], f"@{ben.profile.username}")
    await ada.send(group["id"], "plain")
    await api.sql("delete from mentions where conversation_id = $1", group["id"])
    stale = "insert into mentions (conversation_id, seq, user_id) values ($1, 2, $2)"
    await api.sql(stale, group["id"], ben.id)
    await api.sql("insert into unindexed_conversations (conversation_id, due_at) values ($1, now())", group["id"])

    async with api.services.stores.main.postgres.transaction() as conn:
        taken = await backfill.take_conversation(conn)
        assert taken is not None
        await backfill.index_conversation(conn, taken, 200)

    assert await counts(ben, group["id"]) == (1, 1)
