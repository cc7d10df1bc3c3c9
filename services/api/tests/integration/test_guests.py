"""Guests see the members of their conversations and nobody else, and bring nobody in."""

from typing import Any

import pytest
from synctalk_runtime.ids import new_id
from synctalk_testkit.http import Response

from services.api.tests.integration.conftest import Api, Start, User


async def in_a_group(api: Api) -> tuple[User, User, User, dict[str, Any]]:
    """Return a guest in a group, its member, one outside of it, and the group."""
    ada, outside = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    return guest, ada, outside, await ada.group(guest)


def code(response: Response) -> tuple[int, str]:
    return response.status, response.body["error"]["code"]


async def test_user_by_id__who_shares_no_conversation__is_not_found(api: Api) -> None:
    guest, ada, outside, _ = await in_a_group(api)

    assert (await guest.get(f"/v1/users/{ada.id}"))["id"] == ada.id
    assert (await guest.get(f"/v1/users/{guest.id}"))["id"] == guest.id
    assert (await guest.get("/v1/users/me"))["is_guest"] is True
    for user_id in (outside.id, new_id()):
        assert code(await guest.call("GET", f"/v1/users/{user_id}")) == (404, "not_found")
    assert (await outside.get(f"/v1/users/{guest.id}"))["id"] == guest.id


async def test_users_by_ids__have_those_who_share_a_conversation(api: Api) -> None:
    guest, ada, outside, _ = await in_a_group(api)

    ids = ",".join((outside.id, guest.id, new_id(), ada.id))
    items = (await guest.get(f"/v1/users?ids={ids}"))["items"]

    assert [item["id"] for item in items] == [guest.id, ada.id]


async def test_user__who_has_left__is_seen_no_more(api: Api) -> None:
    guest, ada, _, group = await in_a_group(api)
    await ada.delete(f"/v1/conversations/{group['id']}/members/{ada.id}")

    assert (await guest.call("GET", f"/v1/users/{ada.id}")).status == 404


async def test_search_for_users__is_forbidden(api: Api) -> None:
    guest, ada, *_ = await in_a_group(api)

    assert code(await guest.call("GET", f"/v1/users?search={ada.profile.username}")) == (403, "forbidden")
    assert code(await guest.call("GET", "/v1/users?cursor=x")) == (403, "forbidden")


async def test_members__are_not_added_by_a_guest(api: Api) -> None:
    guest, ada, outside, group = await in_a_group(api)
    path = f"/v1/conversations/{group['id']}/members"
    await ada.patch(f"{path}/{guest.id}", {"role": "admin"})

    assert code(await guest.call("POST", path, {"user_ids": [outside.id]})) == (403, "forbidden")
    assert (await ada.get(path))["items"][0]["user"]["id"] in (ada.id, guest.id)
    assert (await outside.call("GET", f"/v1/conversations/{group['id']}")).status == 404


async def test_channels_and_invites__are_not_for_guests(api: Api) -> None:
    guest, ada, outside, group = await in_a_group(api)
    await ada.patch(f"/v1/conversations/{group['id']}/members/{guest.id}", {"role": "admin"})
    body = {"type": "group", "title": "Public", "member_ids": [], "visibility": "public"}
    public = await outside.post("/v1/conversations", body)

    assert code(await guest.call("GET", "/v1/channels")) == (403, "forbidden")
    assert code(await guest.call("POST", f"/v1/conversations/{public['id']}/join")) == (403, "forbidden")
    assert code(await guest.call("POST", f"/v1/conversations/{group['id']}/invites", {})) == (403, "forbidden")


async def test_invite__of_somebody_else__brings_a_guest_in(api: Api) -> None:
    guest, _, outside, _ = await in_a_group(api)
    group = await outside.group()
    invite = await outside.post(f"/v1/conversations/{group['id']}/invites", {})

    assert (await guest.post(f"/v1/invites/{invite['code']}/accept"))["id"] == group["id"]
    assert (await guest.get(f"/v1/users/{outside.id}"))["id"] == outside.id


@pytest.mark.parametrize("kind", ["direct", "group"])
async def test_conversation__is_not_begun_by_a_guest(api: Api, kind: str) -> None:
    guest, ada, *_ = await in_a_group(api)
    body = {"type": kind, "member_ids": [ada.id]} | ({"title": "Mine"} if kind == "group" else {})

    assert code(await guest.call("POST", "/v1/conversations", body)) == (403, "forbidden")


async def test_conversation__is_begun_by_a_guest_where_guests_are_open(start_api: Start) -> None:
    async with start_api(guests="open") as api:
        guest, ada, outside, _ = await in_a_group(api)

        assert (await guest.direct(ada))["peer"]["id"] == ada.id
        group = await guest.group(outside)
        assert group["role"] == "owner"
        response = await guest.call("POST", f"/v1/conversations/{group['id']}/members", {"user_ids": [ada.id]})
        assert code(response) == (403, "forbidden")


async def test_guest__reads_and_writes_where_it_is_a_member(api: Api) -> None:
    guest, ada, _, group = await in_a_group(api)

    sent = await guest.send(group["id"], "hello")

    assert (await ada.get(f"/v1/conversations/{group['id']}/messages"))["items"][0]["id"] == sent["id"]
    assert [c["id"] for c in await guest.list("/v1/conversations", 10)] == [group["id"]]
    await guest.delete(f"/v1/conversations/{group['id']}/members/{guest.id}")
    assert (await guest.call("GET", f"/v1/conversations/{group['id']}")).status == 404


async def test_forget__has_guests_that_were_in_no_conversation_and_unknown_ones(api: Api) -> None:
    member, _, user, _ = await in_a_group(api)
    left = await api.user("Guest", is_guest=True)
    ada = await api.user()
    other = await ada.group(left)
    await left.delete(f"/v1/conversations/{other['id']}/members/{left.id}")
    alone, unknown = await api.user("Guest", is_guest=True), new_id()

    ids = [member.id, left.id, user.id, alone.id, unknown]
    answer = await api.internal("POST", "/internal/guests/forget", {"ids": ids})

    assert answer.body == {"ids": [alone.id, unknown]}
    rows = await api.sql("select id::text from users where id = any($1::uuid[])", ids)
    assert {row["id"] for row in rows} == {member.id, left.id, user.id}
    assert not await api.sql("select from user_phrases where user_id = $1", alone.id)
    assert (await api.internal("POST", "/internal/guests/forget", {"ids": ids})).body == answer.body


async def test_forget__of_too_many__is_invalid(api: Api) -> None:
    answer = await api.internal("POST", "/internal/guests/forget", {"ids": [new_id() for _ in range(1001)]})
    assert code(answer) == (422, "invalid")
