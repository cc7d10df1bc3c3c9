"""`/v1/conversations`: begin, list, look at, change the details."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from synctalk_api.store.conversation_lists import RECENT_LISTED_MAX, ListPosition
from synctalk_contracts import topology
from synctalk_contracts.models import Conversation
from synctalk_runtime import cursors
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Start, User


async def test_begin__without_a_token__is_refused(api: Api) -> None:
    ada = await api.user()

    response = await ada.call("POST", "/v1/conversations", {}, headers={"authorization": "Bearer nonsense"})

    assert (response.status, response.code) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"type": "group", "member_ids": []}, "title"),
        ({"type": "group", "title": None, "member_ids": []}, "title"),
        ({"type": "group", "title": " ", "member_ids": []}, "title"),
        ({"type": "group", "title": "x" * 129, "member_ids": []}, "title"),
        ({"type": "direct", "title": "x", "member_ids": []}, "title"),
        ({"type": "direct", "description": "x", "member_ids": []}, "description"),
        ({"type": "direct", "metadata": {"x": 1}, "member_ids": []}, "metadata"),
        ({"type": "group", "title": "x", "member_ids": [], "description": "x" * 1001}, "description"),
        ({"type": "group", "title": "x", "member_ids": [], "avatar_url": "http://example.com/a.png"}, "avatar_url"),
        ({"type": "group", "title": "x", "member_ids": [], "metadata": {"x": "y" * 4096}}, "metadata"),
        ({"type": "direct", "member_ids": []}, "member_ids"),
        ({"type": "direct", "member_ids": ["0197a0a0-0000-7000-8000-000000000000"]}, "member_ids"),
        ({"type": "group", "title": "x", "member_ids": ["0197a0a0-0000-7000-8000-000000000000"]}, "member_ids"),
        ({"type": "group", "title": "x", "member_ids": ["nonsense"]}, "member_ids.0"),
        ({"type": "group", "title": "x"}, "member_ids"),
        ({"type": "channel", "title": "x", "member_ids": []}, "type"),
        ({"type": "group", "title": "x", "member_ids": [], "extra": 1}, "extra"),
    ],
)
async def test_begin__with_bad_fields__names_them(api: Api, body: object, field: str) -> None:
    ada = await api.user()

    response = await ada.call("POST", "/v1/conversations", body)

    assert response.status == 422
    assert response.fields == {field}


async def test_begin__direct_with_oneself__is_refused(api: Api) -> None:
    ada = await api.user()

    response = await ada.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [ada.id, ada.id]})

    assert response.fields == {"member_ids"}


async def test_begin__more_than_a_group_holds__is_refused(start_api: Start) -> None:
    async with start_api(group_members_max=3) as api:
        ada, *others = await api.users(4)

        response = await ada.call(
            "POST", "/v1/conversations", {"type": "group", "title": "x", "member_ids": [o.id for o in others]}
        )

        assert response.fields == {"member_ids"}


async def test_begin__direct__each_sees_the_other(api: Api) -> None:
    ada, ben = await api.users(2)

    conversation = await ada.direct(ben)

    assert Conversation.model_validate(conversation)
    assert conversation["type"] == "direct"
    assert conversation["peer"]["id"] == ben.id
    assert (conversation["title"], conversation["last_message"]) == (None, None)
    assert (conversation["last_seq"], conversation["change_seq"], conversation["members_count"]) == (0, 1, 2)
    theirs = await ben.get(f"/v1/conversations/{conversation['id']}")
    assert theirs == conversation | {"peer": ada.profile.model_dump()}


async def test_begin__direct_again__is_the_same(api: Api) -> None:
    ada, ben = await api.users(2)
    first = await ada.direct(ben)

    again = await ben.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [ada.id]})

    assert again.status == 200
    assert again.body["id"] == first["id"]


async def test_begin__direct_by_both_at_once__is_one(api: Api) -> None:
    ada, ben = await api.users(2)

    begun = await asyncio.gather(*(one.direct(other) for one, other in [(ada, ben), (ben, ada)] * 5))

    assert len({conversation["id"] for conversation in begun}) == 1
    assert len((await ada.get("/v1/conversations"))["items"]) == 1


async def test_begin__with_one_who_registered_just_now__asks_auth(api: Api) -> None:
    ada, ben = await api.user(introduced=False), await api.user("Ben", introduced=False)

    conversation = await ada.group(ben)

    assert conversation["members_count"] == 2


async def test_begin__auth_does_not_answer__is_unavailable(api: Api) -> None:
    ada, ben = await api.user(), await api.user("Ben", introduced=False)
    api.auth.is_available = False
    try:
        response = await ada.call("POST", "/v1/conversations", {"type": "direct", "member_ids": [ben.id]})
    finally:
        api.auth.is_available = True

    assert (response.status, response.code) == (503, "unavailable")
    assert response.body["error"]["retry_after"] > 0


async def test_begin__is_published_to_every_member_on_their_own_channel(api: Api) -> None:
    ada, ben = await api.users(2)
    await api.redis.subscribe(topology.user_channel(ada.id), topology.user_channel(ben.id))

    conversation = await ada.group(ben, ada, ben, title="Friends")

    assert conversation["role"] == "owner"
    assert conversation["members_count"] == 2
    await eventually(lambda: api.redis.user_events(ada.id) and api.redis.user_events(ben.id))
    (event,) = api.redis.user_events(ben.id)
    assert event.conversation.model_dump(mode="json") == conversation | {"role": "member"}


async def test_get__by_an_unrelated_user__is_as_if_it_were_not(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    conversation = await ada.direct(ben)

    known = await eve.call("GET", f"/v1/conversations/{conversation['id']}")
    unknown = await eve.call("GET", f"/v1/conversations/{eve.id}")

    assert (known.status, known.body) == (404, unknown.body)


async def test_get__upper_case_id__is_the_same(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)

    assert (await ada.get(f"/v1/conversations/{conversation['id'].upper()}")) == conversation


async def test_get__a_malformed_id__is_invalid(api: Api) -> None:
    ada = await api.user()

    response = await ada.call("GET", "/v1/conversations/nonsense")

    assert response.fields == {"conversation_id"}


async def test_unread__counts_the_others_undeleted_messages_above_ones_own(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    path = f"/v1/conversations/{conversation['id']}"
    sent = [await ada.send(conversation["id"]) for _ in range(5)]
    await ben.post(f"{path}/read", {"seq": 2})
    for message in (sent[0], sent[3]):
        await ada.delete(f"{path}/messages/{message['id']}")

    seen = await ben.get(path)

    assert (seen["read_seq"], seen["unread_count"]) == (2, 2)
    assert seen["last_message"]["seq"] == 5


async def test_list__newest_activity_first__page_by_page(api: Api) -> None:
    ada, *others = await api.users(6)
    begun = [await ada.direct(other) for other in others]
    await ada.send(begun[1]["id"])

    items = await ada.list("/v1/conversations", 2)

    assert [c["id"] for c in items] == [begun[n]["id"] for n in (1, 4, 3, 2, 0)]
    assert items[0] == await ada.get(f"/v1/conversations/{begun[1]['id']}")


async def test_list__walked_while_others_write__skips_and_repeats_nothing(api: Api) -> None:
    ada, *others = await api.users(13)
    begun = {(await ada.direct(other))["id"]: other for other in others}
    writing = True

    async def write(conversation_id: str, user: User) -> None:
        while writing:
            await user.send(conversation_id)

    writers = [asyncio.create_task(write(*pair)) for pair in begun.items()]
    try:
        for _ in range(8):
            walked = [c["id"] for c in await ada.list("/v1/conversations", 1)]
            assert sorted(walked) == sorted(begun)
    finally:
        writing = False
        await asyncio.gather(*writers)


async def test_list__walked_while_a_message_is_committed_late__shows_its_conversation_once(api: Api) -> None:
    ada, *others = await api.users(4)
    late, *begun = [(await ada.direct(other))["id"] for other in others]
    early = datetime.now(UTC) - timedelta(seconds=5)
    await api.sql("update conversations set active_at = $2, created_at = $2 where id = $1", late, early)
    path, limit = "/v1/conversations", {"limit": "1"}
    pages = [await ada.get(path, params=limit)]
    pages.append(await ada.get(path, params={**limit, "cursor": pages[0]["next_cursor"]}))
    assert [page["items"][0]["id"] for page in pages] == begun[::-1]

    between = datetime.fromisoformat(pages[0]["items"][0]["created_at"])  # after the second page, before the first
    await others[0].send(late)
    await api.sql("update messages set created_at = $2 where conversation_id = $1", late, between)
    await api.sql("update conversations set active_at = $2 where id = $1", late, between)
    pages.append(await ada.get(path, params={**limit, "cursor": pages[1]["next_cursor"]}))

    assert [conversation["id"] for conversation in pages[2]["items"]] == [late]
    assert pages[2]["next_cursor"] is None


def test_list_position__more_recent_ones_than_a_cursor_names__goes_by_time_from_there() -> None:
    now = datetime.now(UTC)
    shown = [(f"c{n}", now - timedelta(milliseconds=n)) for n in range(RECENT_LISTED_MAX + 2)]

    position = ListPosition.after(shown, None, now)

    assert position.recent == [conversation_id for conversation_id, _ in shown[:RECENT_LISTED_MAX]]
    assert shown[RECENT_LISTED_MAX - 1][1] >= position.recent_from > shown[RECENT_LISTED_MAX][1]


SOME_ID = "0197a0a0-0000-7000-8000-000000000000"


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        cursors.encode("conversations", (), ["u"]),
        cursors.encode("conversations", (), [1, SOME_ID, 1, ["u"]]),
        cursors.encode("conversations", (), [1, SOME_ID, 1, None]),
        cursors.encode("conversations", (), [1, SOME_ID, 10**18, []]),
        cursors.encode("conversations", (), [1, SOME_ID, 1, [SOME_ID] * 65]),
        "A" * 1025,
    ],
)
async def test_list__with_a_cursor_that_was_never_given__is_refused(api: Api, cursor: str) -> None:
    ada, ben = await api.users(2)
    await ada.send((await ada.direct(ben))["id"])

    response = await ada.call("GET", "/v1/conversations", params={"cursor": cursor})

    assert (response.status, response.code) in {(400, "bad_cursor"), (422, "invalid")}


@pytest.mark.parametrize("limit", ["0", "101", "-1", "x", "1.5"])
async def test_list__limit_out_of_bounds__is_invalid(api: Api, limit: str) -> None:
    ada = await api.user()

    response = await ada.call("GET", "/v1/conversations", params={"limit": limit})

    assert response.fields == {"limit"}


DETAILS = {
    "description": "What we plan.\nAnd when.",
    "avatar_url": "https://example.com/a.png",
    "metadata": {"order": {"id": 7, "tags": ["a", None]}},
}


async def test_group__begun_with_details__has_them_for_everybody(api: Api) -> None:
    ada, ben = await api.users(2)
    body = {"type": "group", "title": "Plans", "member_ids": [ben.id], **DETAILS}

    group = await ada.post("/v1/conversations", body)

    assert {name: group[name] for name in DETAILS} == DETAILS
    seen = await ben.get(f"/v1/conversations/{group['id']}")
    assert {name: seen[name] for name in DETAILS} == DETAILS
    plain = await ada.direct(ben)
    assert (plain["description"], plain["avatar_url"], plain["metadata"]) == ("", None, {})


async def test_details__changed__reach_the_room_and_sync(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben, title="Plans")
    await api.subscribe(group["id"])

    changed = await ada.patch(f"/v1/conversations/{group['id']}", DETAILS)
    again = await ada.patch(f"/v1/conversations/{group['id']}", DETAILS)

    assert {name: changed[name] for name in DETAILS} == DETAILS
    assert (changed["title"], changed["change_seq"], again["change_seq"]) == ("Plans", 2, 2)
    await eventually(lambda: api.redis.room_events(group["id"]))
    (event,) = api.redis.room_events(group["id"])
    assert event.event == "conversation:updated"
    assert {name: event.payload[name] for name in DETAILS} == DETAILS
    states = await ben.post("/v1/sync", {"cursors": {group["id"]: group["change_seq"]}})
    synced = states["conversations"][group["id"]]["conversation"]
    assert {name: synced[name] for name in DETAILS} == DETAILS


async def test_details__left_out_or_emptied__stay_or_are_gone(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.post("/v1/conversations", {"type": "group", "title": "Plans", "member_ids": [ben.id], **DETAILS})

    emptied = await ada.patch(f"/v1/conversations/{group['id']}", {"description": "", "avatar_url": None})

    assert (emptied["description"], emptied["avatar_url"]) == ("", None)
    assert (emptied["title"], emptied["metadata"]) == ("Plans", DETAILS["metadata"])


async def test_details__by_a_moderator__are_the_description_alone(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    path = f"/v1/conversations/{group['id']}"
    await ada.patch(f"{path}/members/{ben.id}", {"role": "moderator"})

    by_member = await cleo.call("PATCH", path, {"description": "mine"})
    allowed = await ben.call("PATCH", path, {"description": "ours"})
    more = await ben.call("PATCH", path, {"description": "ours", "metadata": {}})

    assert (by_member.status, allowed.status, more.status) == (403, 200, 403)


@pytest.mark.parametrize(("name", "value"), list(DETAILS.items()))
async def test_details__of_a_direct_conversation__are_invalid(api: Api, name: str, value: object) -> None:
    ada, ben = await api.users(2)
    direct = await ada.direct(ben)

    assert (await ada.call("PATCH", f"/v1/conversations/{direct['id']}", {name: value})).fields == {name}


async def test_rename__by_a_member_or_in_a_direct_one__is_refused(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group, direct = await ada.group(ben), await ada.direct(ben)

    by_member = await ben.call("PATCH", f"/v1/conversations/{group['id']}", {"title": "Mine"})
    in_direct = await ada.call("PATCH", f"/v1/conversations/{direct['id']}", {"title": "Ours"})
    by_unrelated = await eve.call("PATCH", f"/v1/conversations/{group['id']}", {"title": "Theirs"})

    assert (by_member.status, in_direct.status, by_unrelated.status) == (403, 403, 404)


async def test_rename__is_published_to_the_room_with_each_members_view(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    await ada.send(group["id"])
    await api.subscribe(group["id"])

    renamed = await ada.patch(f"/v1/conversations/{group['id']}", {"title": "Another"})

    assert (renamed["title"], renamed["change_seq"]) == ("Another", 3)
    await eventually(lambda: api.redis.room_events(group["id"]))
    (event,) = api.redis.room_events(group["id"])
    assert (event.event, event.change_seq) == ("conversation:updated", 3)
    assert event.views is not None
    assert event.payload | event.views[ben.id].model_dump(exclude_unset=True) == await ben.get(
        f"/v1/conversations/{group['id']}"
    )


async def test_rename__to_the_same_or_to_nothing__changes_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben, title="Same")

    same = await ada.patch(f"/v1/conversations/{group['id']}", {"title": "Same"})
    nothing = await ada.patch(f"/v1/conversations/{group['id']}", {})
    null = await ada.call("PATCH", f"/v1/conversations/{group['id']}", {"title": None})

    assert same == nothing == group
    assert null.fields == {"title"}
