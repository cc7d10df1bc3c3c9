"""A user claims a guest: they are in its place in every conversation, as if they had been there from the beginning."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from typing import Any

import pytest
from synctalk_api.actions import claims
from synctalk_contracts import topology
from synctalk_contracts.events.users import GuestClaimed
from synctalk_contracts.fanout import RoomEvent
from synctalk_runtime.outbox import rows
from synctalk_testkit.eventually import eventually
from synctalk_testkit.plugin import FreshDatabase

from services.api.tests.integration.conftest import Api, Json, Start, User


async def publish(api: Api, guest: User, user: User) -> None:
    """Publish as auth does."""
    ((name, envelope),) = zip(*rows([GuestClaimed(guest_id=guest.id, user_id=user.id)]), strict=True)
    await api.bus.declare_fed_by({name})
    await api.bus.publish(topology.EVENTS_EXCHANGE, name, f"[{envelope}]".encode())


async def claim(api: Api, guest: User, user: User) -> None:
    """Publish, and return when all of the guest's conversations have been dealt with."""
    await publish(api, guest, user)

    async def is_done() -> bool:
        left = await api.sql("select from members where user_id = $1 and claimed_by is null", guest.id)
        return not left and bool(await api.sql("select from claims where guest_id = $1", guest.id))

    await eventually(is_done, timeout=10)


async def roles(user: User, conversation: Json) -> dict[str, str]:
    items = await user.list(f"/v1/conversations/{conversation['id']}/members", 100)
    return {item["user"]["id"]: item["role"] for item in items}


async def history(user: User, conversation: Json) -> list[Json]:
    found: list[Json] = (await user.get(f"/v1/conversations/{conversation['id']}/messages?limit=100"))["items"]
    return sorted(found, key=lambda message: message["seq"])


def replaced(api: Api, conversation: Json) -> list[RoomEvent]:
    return [event for event in api.redis.room_events(conversation["id"]) if event.event == "member:replaced"]


async def test_group__has_the_user_in_the_guests_place(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest)
    sent = await guest.send(group["id"], "by the guest")
    await ada.send(group["id"], f"hello @{guest.profile.username}")
    await guest.put(f"/v1/conversations/{group['id']}/messages/{sent['id']}/reactions/👍")
    before = await ada.get(f"/v1/conversations/{group['id']}")
    await api.subscribe(group["id"])
    await api.redis.subscribe(topology.user_channel(ben.id))

    await claim(api, guest, ben)

    assert await roles(ben, group) == {ada.id: "owner", ben.id: "member"}
    mine, hello = await history(ben, group)
    assert (mine["sender_id"], mine["reactions"]) == (ben.id, {"👍": [ben.id]})
    assert hello["mentions"] == [ben.id]
    after = await ben.get(f"/v1/conversations/{group['id']}")
    assert after["change_seq"] == before["change_seq"] + 1
    assert (after["read_seq"], after["unread_count"], after["members_count"]) == (1, 1, 2)
    assert after["me"]["mention_count"] == 1
    assert (await guest.call("GET", f"/v1/conversations/{group['id']}")).status == 404
    (event,) = replaced(api, group)
    assert (event.change_seq, event.payload) == (
        after["change_seq"],
        {"replaced_id": guest.id, "user_id": ben.id, "role": "member", "muted_until": None},
    )
    (came,) = api.redis.user_events(ben.id)
    assert came.conversation.id == group["id"]


async def test_sync__from_before_the_claim__is_a_reset(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest)
    await guest.send(group["id"])
    cursor = (await ada.get(f"/v1/conversations/{group['id']}"))["change_seq"]

    await claim(api, guest, ben)
    await ben.send(group["id"])

    async def sync(user: User, cursor: int) -> Json:
        answer = await user.post("/v1/sync", {"cursors": {group["id"]: cursor}})
        state: Json = answer["conversations"][group["id"]]
        return state

    assert await sync(ada, cursor) == {"reset": True, "change_seq": cursor + 2}
    assert [m["sender_id"] for m in (await sync(ada, cursor + 1))["messages"]] == [ben.id]
    assert await sync(guest, cursor) == {"removed": True}


async def test_member__keeps_the_higher_role_and_watermark(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest, ben)
    await ada.patch(f"/v1/conversations/{group['id']}/members/{guest.id}", {"role": "admin"})
    for _ in range(3):
        await ada.send(group["id"])
    await guest.post(f"/v1/conversations/{group['id']}/read", {"seq": 2})

    await claim(api, guest, ben)

    assert await roles(ben, group) == {ada.id: "owner", ben.id: "admin"}
    seen = await ben.get(f"/v1/conversations/{group['id']}")
    assert (seen["read_seq"], seen["unread_count"], seen["members_count"]) == (2, 1, 2)


async def test_lower_role_of_the_guest__takes_nothing_away(api: Api) -> None:
    ada = await api.user()
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest)

    await claim(api, guest, ada)

    assert await roles(ada, group) == {ada.id: "owner"}


async def test_former_member__comes_back_in_the_guests_place(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest, ben)
    await ada.send(group["id"])
    await ben.post(f"/v1/conversations/{group['id']}/read", {"seq": 1})
    await ben.delete(f"/v1/conversations/{group['id']}/members/{ben.id}")

    await claim(api, guest, ben)

    assert await roles(ben, group) == {ada.id: "owner", ben.id: "member"}
    assert (await ben.get(f"/v1/conversations/{group['id']}"))["read_seq"] == 1


async def test_group_that_the_guest_has_left__gives_its_messages_and_no_place(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest)
    await guest.send(group["id"])
    await guest.delete(f"/v1/conversations/{group['id']}/members/{guest.id}")

    await claim(api, guest, ben)

    assert [m["sender_id"] for m in await history(ada, group)] == [ben.id]
    assert await roles(ada, group) == {ada.id: "owner"}
    assert (await ben.call("GET", f"/v1/conversations/{group['id']}")).status == 404


async def test_what_both_have__stays_once(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest, ben)
    path = f"/v1/conversations/{group['id']}/messages"
    sent = await ada.send(group["id"], f"@{guest.profile.username} @{ben.profile.username}")
    for user in (guest, ben):
        await user.put(f"{path}/{sent['id']}/reactions/👍")
    await guest.put(f"{path}/{sent['id']}/reactions/🎉")
    for user in (guest, ben):
        await user.post(path, {"client_message_id": "same", "body": f"by {user.id}"})

    await claim(api, guest, ben)

    first, *rest = await history(ben, group)
    assert first["mentions"] == [ben.id]
    assert first["reactions"] == {"👍": [ben.id], "🎉": [ben.id]}
    assert first["reaction_counts"] == {"👍": 1, "🎉": 1}
    assert [m["sender_id"] for m in rest] == [ben.id, ben.id]
    assert len({m["client_message_id"] for m in rest}) == 2
    again = await ben.call("POST", path, {"client_message_id": "same", "body": f"by {ben.id}"})
    assert (again.status, again.body["id"]) == (200, rest[1]["id"])


async def test_search__finds_the_messages_by_the_user(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest)
    await guest.send(group["id"], "cinnamon buns")
    await ada.send(group["id"], f"cinnamon for @{guest.profile.username}")

    await claim(api, guest, ben)

    async def found(**params: str) -> list[str]:
        items = (await ben.get("/v1/search/messages", params={"q": "cinnamon", **params}))["items"]
        return [item["message"]["sender_id"] for item in items]

    assert await found(sender_id=ben.id) == [ben.id]
    assert await found(sender_id=guest.id) == []
    assert await found(mentions="me") == [ada.id]
    assert [item["message"]["sender_id"] for item in (await ben.get("/v1/mentions"))["items"]] == [ada.id]


async def test_direct_conversation__is_the_users_and_is_found_again(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    direct = await ada.direct(guest)
    await guest.send(direct["id"], "hello")

    await claim(api, guest, ben)

    seen = await ada.get(f"/v1/conversations/{direct['id']}")
    assert (seen["peer"]["id"], seen["last_message"]["sender_id"]) == (ben.id, ben.id)
    assert (await ben.direct(ada))["id"] == (await ada.direct(ben))["id"] == direct["id"]
    assert (await ben.send(direct["id"]))["seq"] == 2
    assert (await ada.direct(guest))["peer"]["id"] == ben.id


@pytest.mark.parametrize("is_other_side", [True, False])
async def test_direct_conversation__that_the_user_cannot_have__ends_and_can_be_read(
    api: Api, is_other_side: bool
) -> None:
    ada = await api.user()
    ben = ada if is_other_side else await api.user()
    guest = await api.user("Guest", is_guest=True)
    direct = await ada.direct(guest)
    own = None if is_other_side else await ada.direct(ben)
    sent = await guest.send(direct["id"], "hello")
    cursor = (await ada.get(f"/v1/conversations/{direct['id']}"))["change_seq"]

    await claim(api, guest, ben)

    assert [m["sender_id"] for m in await history(ada, direct)] == [guest.id]
    path = f"/v1/conversations/{direct['id']}/messages"
    body = {"client_message_id": secrets.token_hex(8), "body": "too late"}
    assert (await ada.call("POST", path, body)).status == 403
    assert (await ada.call("PUT", f"{path}/{sent['id']}/reactions/👍")).status == 403
    state = (await ada.post("/v1/sync", {"cursors": {direct["id"]: cursor}}))["conversations"][direct["id"]]
    assert state["conversation"]["archived_at"] is not None
    assert state["change_seq"] == cursor + 1
    assert own is None or (await ben.direct(ada))["id"] == own["id"]


@pytest.mark.parametrize("is_member", [True, False])
async def test_mute_of_the_guest__holds_for_the_user(api: Api, is_member: bool) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest, *([ben] if is_member else []))
    await ada.put(f"/v1/conversations/{group['id']}/members/{guest.id}/mute", {"until": None})

    await claim(api, guest, ben)

    body = {"client_message_id": "x", "body": "hello"}
    assert (await ben.call("POST", f"/v1/conversations/{group['id']}/messages", body)).status == 403


async def test_ban_of_the_user__keeps_them_out(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest, ben)
    await ada.put(f"/v1/conversations/{group['id']}/bans/{ben.id}", {})

    await claim(api, guest, ben)

    assert await roles(ada, group) == {ada.id: "owner"}
    assert (await ben.call("GET", f"/v1/conversations/{group['id']}")).status == 404
    assert (await ada.get(f"/v1/conversations/{group['id']}"))["members_count"] == 1


@pytest.mark.parametrize("had_one", [True, False])
async def test_block_of_the_guest__holds_for_the_user(api: Api, had_one: bool) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    direct = await ada.direct(guest)
    direct = await ada.direct(ben) if had_one else direct
    await ada.put(f"/v1/users/me/blocks/{guest.id}")

    await claim(api, guest, ben)

    assert [user["id"] for user in (await ada.get("/v1/users/me/blocks"))["items"]] == sorted([guest.id, ben.id])

    async def is_blocked() -> bool:
        rows = await api.sql(
            "select blocked_by_peer from members where conversation_id = $1 and user_id = $2", direct["id"], ben.id
        )
        return bool(rows[0]["blocked_by_peer"])

    await eventually(is_blocked)


async def test_deleted_group__holds_nothing_up(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest)
    await ada.delete(f"/v1/conversations/{group['id']}")

    await claim(api, guest, ben)

    assert (await ben.call("GET", f"/v1/conversations/{group['id']}")).status == 404


async def test_claim__twice_and_at_once__changes_nothing_more(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    groups = [await ada.group(guest) for _ in range(3)]

    await asyncio.gather(*(publish(api, guest, ben) for _ in range(5)))
    await claim(api, guest, ben)

    for group in groups:
        assert (await ada.get(f"/v1/conversations/{group['id']}"))["change_seq"] == group["change_seq"] + 1


async def test_claim__while_everybody_writes__loses_no_message(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest, ben)

    async def write(user: User) -> None:
        for n in range(20):
            await user.call(
                "POST",
                f"/v1/conversations/{group['id']}/messages",
                {"client_message_id": f"m{n}", "body": f"{user.id} {n}"},
            )

    await asyncio.gather(write(ada), write(ben), write(guest), claim(api, guest, ben))

    messages = await history(ada, group)
    assert [m["seq"] for m in messages] == list(range(1, len(messages) + 1))
    assert {m["sender_id"] for m in messages} == {ada.id, ben.id}
    assert sum(m["body"].startswith(ada.id) for m in messages) == 20


async def test_claim__of_one_that_fails__holds_back_no_other(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, ben = await api.users(2)
    bad, good = [await api.user("Guest", is_guest=True) for _ in range(2)]
    for guest in (bad, good):
        await ada.group(guest)
    give = claims._give
    failed = asyncio.Event()

    async def sometimes(*args: Any, **kwargs: Any) -> None:
        if args[2].guest_id == bad.id and not failed.is_set():
            failed.set()
            raise RuntimeError
        await give(*args, **kwargs)

    monkeypatch.setattr(claims, "_give", sometimes)
    monkeypatch.setattr(claims, "FAILED_S", 0.5)

    await publish(api, bad, ben)
    await failed.wait()
    await claim(api, good, ben)
    await claim(api, bad, ben)


async def test_guest__added_somewhere_after_the_claim__is_replaced_there_too(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "AGAIN_S", 0.2)
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    await ada.group(guest)
    await claim(api, guest, ben)
    await api.sql("update claims set due_at = now() where guest_id = $1", guest.id)

    late = await ada.group(guest)

    await eventually(lambda: _is_in(ben, late), timeout=10)


async def _is_in(user: User, conversation: Json) -> bool:
    return (await user.call("GET", f"/v1/conversations/{conversation['id']}")).status == 200


@pytest.fixture
async def two_stores(start_api: Start, fresh_database: FreshDatabase) -> AsyncIterator[Api]:
    async with start_api(api_stores={"second": await fresh_database("api")}) as running:
        yield running


async def test_direct_conversation__with_several_stores__is_found_again(two_stores: Api) -> None:
    api = two_stores
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    direct = await ada.direct(guest)

    await claim(api, guest, ben)

    assert (await ben.direct(ada))["id"] == direct["id"]
