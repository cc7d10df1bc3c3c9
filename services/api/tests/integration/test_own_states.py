"""Conversations that a member pins or hides: for oneself alone, and until the next message."""

import asyncio

import pytest
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, User


def me(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}/me"


async def listed(user: User, **params: str) -> list[str]:
    page = await user.get("/v1/conversations", params=params)
    return [item["id"] for item in page["items"]]


async def test_own_state__of_an_unrelated_user__is_not_there(api: Api) -> None:
    ada, ben, eve = await api.users(3)

    assert (await eve.call("PATCH", me(await ada.group(ben)), {"pinned": True})).status == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"pinned": None}, "pinned"),
        ({"pinned": 1}, "pinned"),
        ({"hidden": None}, "hidden"),
        ({"hidden": "true"}, "hidden"),
        ({"muted": True}, "muted"),
    ],
)
async def test_own_state__bad_input__is_refused(api: Api, body: Json, field: str) -> None:
    ada = await api.user()

    assert (await ada.call("PATCH", me(await ada.group()), body)).fields == {field}


async def test_pinned__is_for_oneself_live_and_no_change(api: Api) -> None:
    ada, ben = await api.users(2)
    first, second = await ada.group(ben), await ada.group(ben)
    await api.subscribe(first["id"])

    pinned = await ada.patch(me(first), {"pinned": True})
    again = await ada.patch(me(first), {"pinned": True})
    nothing = await ada.patch(me(first), {})
    unpinned = await ada.patch(me(first), {"pinned": False})

    assert pinned == again == nothing == first | {"me": first["me"] | {"pinned_at": pinned["me"]["pinned_at"]}}
    assert pinned["me"]["pinned_at"] is not None
    assert unpinned == first
    assert await ben.get(f"/v1/conversations/{first['id']}") == first | {"role": "member"}
    assert await listed(ada) == [second["id"], first["id"]]
    await eventually(lambda: len(api.redis.room_events(first["id"])) == 2)
    events = api.redis.room_events(first["id"])
    assert [(event.event, event.change_seq, set(event.views or {})) for event in events] == [
        ("conversation:updated", None, {ada.id})
    ] * 2
    views = [(event.views or {})[ada.id].me for event in events]
    assert [view and view.pinned_at is not None for view in views] == [True, False]


async def test_hidden__is_left_out_of_the_list_until_the_next_message(api: Api) -> None:
    ada, ben = await api.users(2)
    group, other = await ada.group(ben), await ada.group(ben)
    await ben.send(group["id"])

    hidden = await ada.patch(me(group), {"hidden": True})
    again = await ada.patch(me(group), {"hidden": True})

    assert hidden == again
    assert hidden["me"]["hidden_at"] is not None
    assert await listed(ada) == [other["id"]]
    assert await listed(ada, hidden="true") == [group["id"]]
    assert await listed(ada, hidden="false") == [other["id"]]
    assert await listed(ben) == [group["id"], other["id"]]
    await ben.send(group["id"])
    shown = await ada.get(f"/v1/conversations/{group['id']}")
    assert shown["me"]["hidden_at"] is None
    assert (await listed(ada), await listed(ada, hidden="true")) == ([group["id"], other["id"]], [])
    assert (await ada.patch(me(group), {"hidden": True}))["me"]["hidden_at"] > hidden["me"]["hidden_at"]


async def test_hidden__taken_back_or_by_ones_own_message__is_over(api: Api) -> None:
    ada, ben = await api.users(2)
    group, empty = await ada.group(ben), await ada.group()
    for each in (group, empty):
        await ada.patch(me(each), {"hidden": True, "pinned": True})
    assert await listed(ada) == []

    await ada.send(group["id"])
    await ada.patch(me(empty), {"hidden": False})

    assert set(await listed(ada)) == {group["id"], empty["id"]}
    state = (await ada.post("/v1/sync", {"cursors": {group["id"]: 1}}))["conversations"][group["id"]]
    assert state["conversation"] == await ada.get(f"/v1/conversations/{group['id']}")
    assert state["conversation"]["me"]["pinned_at"] is not None


async def test_hidden__an_edit_or_a_reaction__does_not_bring_it_back(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    message = await ben.send(group["id"])
    await ada.patch(me(group), {"hidden": True})

    path = f"/v1/conversations/{group['id']}/messages/{message['id']}"
    await ben.call("PATCH", path, {"body": "else"})
    await ben.call("PUT", f"{path}/reactions/👍")

    assert await listed(ada) == []


async def test_hidden__walked__goes_on_by_the_cursor_alone_and_in_its_list_only(api: Api) -> None:
    ada = await api.user()
    groups = [await ada.group() for _ in range(3)]
    for group in groups:
        await ada.patch(me(group), {"hidden": True})
    first = await ada.get("/v1/conversations", params={"hidden": "true", "limit": "2"})
    cursor = {"cursor": first["next_cursor"]}

    assert await listed(ada, **cursor) == await listed(ada, **cursor, hidden="true") == [groups[0]["id"]]
    refused = await ada.call("GET", "/v1/conversations", params=cursor | {"hidden": "false"})
    assert (refused.status, refused.code) == (400, "bad_cursor")
    assert (await ada.call("GET", "/v1/conversations", params={"hidden": "maybe"})).fields == {"hidden"}


async def test_own_state__in_an_archived_group__works(api: Api) -> None:
    ada = await api.user()
    group = await ada.group()
    await ada.call("PUT", f"/v1/conversations/{group['id']}/archive")

    changed = await ada.patch(me(group), {"pinned": True, "hidden": True, "unread": True})

    assert None not in [changed["me"][name] for name in ("pinned_at", "hidden_at", "marked_unread_at")]


async def test_hidden__while_a_message_is_sent__is_seen_or_hidden_with_it(api: Api) -> None:
    ada, ben = await api.users(2)
    for _ in range(5):
        group = await ada.group(ben)
        await asyncio.gather(ben.send(group["id"]), ada.patch(me(group), {"hidden": True}))
        await ben.send(group["id"])

        assert (await ada.get(f"/v1/conversations/{group['id']}"))["me"]["hidden_at"] is None
