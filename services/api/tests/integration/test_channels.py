"""Public groups: who may make one, the list of them, and joining."""

import asyncio
import secrets

import pytest
from synctalk_contracts import topology
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

from services.api.tests.integration.conftest import Api, Json, Start, User


def place(conversation: Json) -> str:
    return f"/v1/conversations/{conversation['id']}"


async def a_channel(owner: User, *others: User, **fields: object) -> Json:
    body = {"type": "group", "title": "A channel", "member_ids": [other.id for other in others], "visibility": "public"}
    conversation: Json = await owner.post("/v1/conversations", body | fields)
    return conversation


async def listed(user: User, mark: str, limit: int = 100) -> list[Json]:
    items, cursor = [], None
    while True:
        params = {"search": mark, "limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        page = await user.get("/v1/channels", params=params)
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


async def test_visibility__is_an_admins_to_change(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    group = await ada.group(ben, cleo)
    await ada.patch(f"{place(group)}/members/{ben.id}", {"role": "moderator"})

    for user in (ben, cleo):
        assert (await user.call("PATCH", place(group), {"visibility": "public"})).status == 403
    changed = await ada.patch(place(group), {"visibility": "public"})

    assert (group["visibility"], changed["visibility"]) == ("private", "public")
    assert changed["change_seq"] == 3
    state = (await ben.post("/v1/sync", {"cursors": {group["id"]: 2}}))["conversations"][group["id"]]
    assert state["conversation"]["visibility"] == "public"


@pytest.mark.parametrize("value", ["hidden", None, 1])
async def test_visibility__bad_input__is_refused(api: Api, value: object) -> None:
    ada = await api.user()
    group = await ada.group()

    begun = await ada.call(
        "POST", "/v1/conversations", {"type": "group", "title": "x", "member_ids": [], "visibility": value}
    )
    changed = await ada.call("PATCH", place(group), {"visibility": value})

    assert begun.fields == changed.fields == {"visibility"}


async def test_visibility__of_a_direct_conversation__is_refused(api: Api) -> None:
    ada, ben = await api.users(2)
    body = {"type": "direct", "member_ids": [ben.id], "visibility": "public"}
    direct = await ada.direct(ben)

    assert (await ada.call("POST", "/v1/conversations", body)).fields == {"visibility"}
    assert (await ada.call("PATCH", place(direct), {"visibility": "public"})).fields == {"visibility"}


async def test_list__most_members_first_and_nothing_of_messages(api: Api) -> None:
    ada, ben, cleo = await api.users(3)
    mark = f"mark{secrets.token_hex(6)}"
    small = await a_channel(ada, title=f"{mark} one", description="What", avatar_url="https://example.com/a.png")
    large = await a_channel(ben, ada, cleo, title=f"{mark} two")
    await a_channel(cleo, title=f"{mark} three", visibility="private")
    await ben.send(large["id"], "secret")

    items = await listed(ada, mark)

    assert items == [
        {
            "id": large["id"],
            "title": f"{mark} two",
            "description": "",
            "avatar_url": None,
            "members_count": 3,
            "created_at": large["created_at"],
            "joined": True,
        },
        {
            "id": small["id"],
            "title": f"{mark} one",
            "description": "What",
            "avatar_url": "https://example.com/a.png",
            "members_count": 1,
            "created_at": small["created_at"],
            "joined": True,
        },
    ]
    assert [item["joined"] for item in await listed(cleo, mark)] == [True, False]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("{m} städte", True),
        ("{m} STAD", True),
        ("stadte {m}", True),
        ("{m} reisen", True),
        ("{m} hamburg", False),
        ("{m} -reisen", False),
        ("{m} tadte", False),
        ("{m}x", False),
        ("---", False),
    ],
)
async def test_list__searched__by_words_of_the_title(api: Api, search: str, found: bool) -> None:
    ada = await api.user()
    mark = f"m{secrets.token_hex(6)}"
    await a_channel(ada, title=f"{mark} Städte-Reisen")

    assert bool(await listed(ada, search.format(m=mark))) is found


async def test_list__renamed_or_private_again__is_found_as_it_is_now(api: Api) -> None:
    ada = await api.user()
    old, new = f"a{secrets.token_hex(6)}", f"b{secrets.token_hex(6)}"
    channel = await a_channel(ada, title=old)

    await ada.patch(place(channel), {"title": new})
    assert (len(await listed(ada, old)), len(await listed(ada, new))) == (0, 1)
    await ada.patch(place(channel), {"visibility": "private"})
    assert await listed(ada, new) == []


async def test_list__walked_while_members_come_and_go__skips_and_repeats_nothing(api: Api) -> None:
    users = await api.users(8)
    ada = users[0]
    mark = f"mark{secrets.token_hex(6)}"
    channels = [await a_channel(ada, *users[1 : n + 1], title=f"{mark} {n}") for n in range(6)]
    params = {"search": mark, "limit": "2"}
    first = await ada.get("/v1/channels", params=params)

    for user in users[1:]:
        await user.call("POST", f"{place(channels[0])}/join")
    for user in users[1:6]:
        await ada.call("DELETE", f"{place(channels[5])}/members/{user.id}")
    second = await ada.get("/v1/channels", params=params | {"cursor": first["next_cursor"]})
    third = await ada.get("/v1/channels", params={"cursor": second["next_cursor"], "limit": "2"})

    shown = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert shown == [channel["id"] for channel in reversed(channels)]
    assert third["next_cursor"] is None
    assert (await listed(ada, mark))[0]["id"] == channels[0]["id"]


@pytest.mark.parametrize(
    ("params", "field"), [({"search": ""}, "search"), ({"search": "x" * 129}, "search"), ({"limit": "0"}, "limit")]
)
async def test_list__bad_input__is_refused(api: Api, params: dict[str, str], field: str) -> None:
    ada = await api.user()

    assert (await ada.call("GET", "/v1/channels", params=params)).fields == {field}


async def test_public_group__for_who_is_no_member__is_not_there_until_joined(api: Api) -> None:
    ada, eve = await api.users(2)
    channel = await a_channel(ada)
    message = await ada.send(channel["id"])

    responses = [
        await eve.call("GET", place(channel)),
        await eve.call("GET", f"{place(channel)}/messages"),
        await eve.call("GET", f"{place(channel)}/messages/{message['id']}"),
        await eve.call("GET", f"{place(channel)}/members"),
        await eve.call("POST", f"{place(channel)}/messages", {"client_message_id": "a", "body": "x"}),
        await eve.call("PATCH", place(channel), {"title": "mine"}),
        await eve.call("DELETE", f"{place(channel)}/members/{eve.id}"),
    ]

    assert {(response.status, response.code) for response in responses} == {(404, "not_found")}


async def test_join__takes_a_change_and_is_published(api: Api) -> None:
    ada, ben = await api.users(2)
    channel = await a_channel(ada)
    await ada.send(channel["id"], "before")
    await api.subscribe(channel["id"])
    await api.redis.subscribe(topology.user_channel(ben.id))

    joined = await ben.call("POST", f"{place(channel)}/join")
    again = await ben.call("POST", f"{place(channel)}/join")

    assert joined.status == again.status == 200
    assert joined.body == again.body == await ben.get(place(channel))
    assert (joined.body["members_count"], joined.body["role"], joined.body["unread_count"]) == (2, "member", 1)
    await eventually(lambda: api.redis.room_events(channel["id"]) and api.redis.user_events(ben.id))
    (event,) = api.redis.room_events(channel["id"])
    assert (event.event, event.user_id, event.change_seq) == ("member:changed", ben.id, 3)
    assert api.redis.user_events(ben.id)[0].conversation.id == channel["id"]
    assert (await ben.get(f"{place(channel)}/messages"))["items"][0]["body"] == "before"


async def test_join__what_cannot_be_joined(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    private, direct, channel = await ada.group(ben), await ada.direct(ben), await a_channel(ada)
    for group in (private, channel):
        await ada.call("PUT", f"{place(group)}/bans/{eve.id}", {})

    assert (await eve.call("POST", f"{place(private)}/join")).status == 404
    assert (await eve.call("POST", f"{place(direct)}/join")).status == 404
    assert (await eve.call("POST", f"/v1/conversations/{new_id()}/join")).status == 404
    assert (await eve.call("POST", "/v1/conversations/x/join")).status == 422
    assert (await ben.call("POST", f"{place(private)}/join")).body["id"] == private["id"]
    banned = await eve.call("POST", f"{place(channel)}/join")
    assert (banned.status, banned.code) == (403, "forbidden")


async def test_join__by_many_for_the_last_place__one_gets_it(start_api: Start) -> None:
    async with start_api(group_members_max=3) as api:
        ada, ben, *others = await api.users(6)
        channel = await a_channel(ada, ben)

        responses = await asyncio.gather(*(user.call("POST", f"{place(channel)}/join") for user in others))

        assert sorted(response.status for response in responses) == [200, 409, 409, 409]
        assert {response.code for response in responses} == {None, "conflict"}
        assert (await ada.get(place(channel)))["members_count"] == 3


async def test_join__by_one_user_at_once__is_one_change(api: Api) -> None:
    ada, ben = await api.users(2)
    channel = await a_channel(ada)

    responses = await asyncio.gather(*(ben.call("POST", f"{place(channel)}/join") for _ in range(5)))

    assert {response.status for response in responses} == {200}
    view = await ada.get(place(channel))
    assert (view["members_count"], view["change_seq"]) == (2, 2)
