"""Threads where users are claimed, erased or gone with their group."""

import pytest
from synctalk_api.actions import erasures
from synctalk_contracts import models
from synctalk_contracts.events.users import ErasureRequested
from synctalk_contracts.models import EraseMode
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

from services.api.tests.integration import test_erasures
from services.api.tests.integration.conftest import Api
from services.api.tests.integration.test_claims import claim
from services.api.tests.integration.test_threads import at, followed, reply, seen, threads


async def test_claimed_guest__leaves_threads_and_watermarks_to_the_user(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest)
    root = await ada.send(group["id"], "root")
    inside = await reply(guest, root)
    await reply(ada, root, f"@{guest.profile.username}")

    await claim(api, guest, ben)

    thread = await followed(ben, root)
    assert thread is not None
    assert (thread["read_seq"], thread["unread_count"], thread["mention_count"]) == (inside["seq"], 1, 1)
    assert thread["root"]["thread"]["participant_ids"] == [ben.id, ada.id]
    assert await api.sql("select from thread_follows where user_id = $1", guest.id) == []


async def test_claimed_guest__of_a_member__is_one_participant(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest, ben)
    root = await ada.send(group["id"], "root")
    await reply(guest, root)
    last = await reply(ben, root)

    await claim(api, guest, ben)

    assert (await seen(ada, root))["thread"] | {"last_reply_at": None} == {
        "reply_count": 2,
        "last_reply_at": None,
        "last_seq": last["seq"],
        "participant_ids": [ben.id],
    }
    assert ((await followed(ben, root)) or {})["read_seq"] == last["seq"]


async def test_claimed_guest__who_had_left__follows_nothing(api: Api) -> None:
    ada, ben = await api.users(2)
    guest = await api.user("Guest", is_guest=True)
    group = await ada.group(guest)
    root = await ada.send(group["id"], "root")
    await reply(guest, root)
    await guest.delete(f"/v1/conversations/{group['id']}/members/{guest.id}")

    await claim(api, guest, ben)
    await ada.post(f"/v1/conversations/{group['id']}/members", {"user_ids": [ben.id]})

    assert await threads(ben) == []


async def test_erased_user__leaves_no_reply_in_the_sum(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasures, "MESSAGES_AT_ONCE", 2)
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    roots = [await ada.send(group["id"], f"root {n}") for n in range(2)]
    for root in roots:
        for _ in range(3):
            await reply(ben, root)
    kept = await reply(ada, roots[0])

    await test_erasures.publish(
        api, ErasureRequested(user_id=ben.id, mode=EraseMode.MESSAGES, user=models.User(**ben.profile.model_dump()))
    )
    left = {
        "reply_count": 1,
        "last_reply_at": kept["created_at"],
        "last_seq": kept["seq"],
        "participant_ids": [ada.id],
    }

    async def is_erased() -> bool:
        return [(await seen(ada, root))["thread"] for root in roots] == [left, None]

    await eventually(is_erased)


async def test_deleted_group__leaves_no_follows(api: Api) -> None:
    ada, ben = await api.users(2)
    group = await ada.group(ben)
    root = await ada.send(group["id"], "root")
    await reply(ben, root)

    await ada.delete(f"/v1/conversations/{group['id']}")

    assert await threads(ben) == []
    assert await api.sql("select from thread_follows where conversation_id = $1", group["id"]) == []
    assert (await ben.call("PUT", f"{at(root)}/follow")).status == 404


async def test_own_follow__of_a_root_that_others_wrote__needs_no_reply(api: Api) -> None:
    ada, ben, eve = await api.users(3)
    group = await ada.group(ben, eve)
    root = await ada.send(group["id"], "root")
    await eve.put(f"{at(root)}/follow")

    await ben.send(group["id"], "reply", thread_id=root["id"], client_message_id=new_id())

    assert ((await followed(eve, root)) or {})["unread_count"] == 1
