"""Presence: of whom one may know, on many devices, and each change published once."""

import time
from datetime import timedelta
from typing import Any

from synctalk_contracts.ids import format_time
from synctalk_runtime.ids import utc_now
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, User, Users
from synctalk_testkit.eventually import eventually

GRACE_S = 10
UNKNOWN = "01890000-0000-7000-8000-000000000000"


def offline(user_id: str) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "status": "offline",
        "custom_status": None,
        "last_seen_at": None,
        "status_emoji": None,
        "status_expires_at": None,
    }


async def presence_of(viewer: User, user: User) -> dict[str, Any]:
    item: dict[str, Any] = (await viewer.get(f"/v1/presence?user_ids={user.id}"))["items"][0]
    return item


async def changed(live: LiveSocket, user: User, status: str, within_s: float = 10) -> Any:
    return await live.wait_for(
        "presence:changed", lambda payload: (payload["user_id"], payload["status"]) == (user.id, status), within_s
    )


async def test_presence__of_unrelated_users_and_nobody__answers_alike(users: Users) -> None:
    ada, eve = await users.register_all("Ada", "Eve")
    live, of_eve = await ada.connect(), await eve.connect()
    wanted = [offline(ada.id), offline(UNKNOWN)]

    assert (await eve.get(f"/v1/presence?user_ids={ada.id},{UNKNOWN}"))["items"] == wanted
    assert (await of_eve.done("presence:subscribe", {"user_ids": [ada.id, UNKNOWN]}))["items"] == wanted
    await live.done("presence:set", {"status": "away"})
    await of_eve.done("presence:unsubscribe", {"user_ids": [UNKNOWN]})
    assert of_eve.of("presence:changed") == []


async def test_subscribe__gives_the_state_then_each_change_once(users: Users, stack: RunningStack) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.direct_with(bob)
    of_bob = await bob.connect(at=stack.internal_url("gateway-2"))
    first = (await of_bob.done("presence:subscribe", {"user_ids": [ada.id]}))["items"]
    of_ada = await ada.connect(at=stack.internal_url("gateway-1"))
    online = await changed(of_bob, ada, "online")
    await of_ada.done("presence:set", {"status": "away", "custom_status": "at lunch"})
    away = await changed(of_bob, ada, "away")
    await of_ada.done("presence:set", {"status": "away"})
    await ada.put("/v1/presence/me", {"status": "dnd"})
    dnd = await changed(of_bob, ada, "dnd")

    assert first == [offline(ada.id)]
    assert online == offline(ada.id) | {"status": "online"}
    assert (away["custom_status"], dnd["custom_status"]) == ("at lunch", "at lunch")
    assert [payload["status"] for payload in of_bob.of("presence:changed")] == ["online", "away", "dnd"]
    assert await presence_of(bob, ada) == dnd


async def test_custom_status__with_an_end__is_cleared_for_those_who_watch(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.direct_with(bob)
    of_ada, of_bob = await ada.connect(), await bob.connect()
    await of_bob.done("presence:subscribe", {"user_ids": [ada.id]})
    ends_at = format_time(utc_now() + timedelta(seconds=2))
    await of_ada.done("presence:set", {"custom_status": {"text": "Lunch", "emoji": "🍜", "expires_at": ends_at}})
    status = ("custom_status", "status_emoji", "status_expires_at")

    async def seen(*values: str | None) -> None:
        await of_bob.wait_for("presence:changed", lambda payload: tuple(payload[name] for name in status) == values)

    await seen("Lunch", "🍜", ends_at)
    await seen(None, None, None)


async def test_invisible__looks_offline_to_the_others_and_not_to_oneself(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.direct_with(bob)
    of_ada, of_bob = await ada.connect(), await bob.connect()
    await eventually(lambda: _is(bob, ada, "online"))
    await of_bob.done("presence:subscribe", {"user_ids": [ada.id]})
    await of_ada.done("presence:set", {"status": "invisible", "custom_status": "hiding"})

    assert await changed(of_bob, ada, "offline") == offline(ada.id)
    assert await presence_of(bob, ada) == offline(ada.id)
    assert (await presence_of(ada, ada))["custom_status"] == "hiding"
    await of_ada.done("presence:set", {"status": "online"})
    assert (await changed(of_bob, ada, "online"))["custom_status"] == "hiding"


async def test_unsubscribe__ends_the_changes(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.direct_with(bob)
    of_ada, of_bob, beside = await ada.connect(), await bob.connect(), await bob.connect()
    for live in (of_bob, beside):
        await live.done("presence:subscribe", {"user_ids": [ada.id]})
    await of_bob.done("presence:unsubscribe", {"user_ids": [ada.id]})
    count = len(of_bob.of("presence:changed"))
    await of_ada.done("presence:set", {"status": "away"})
    await changed(beside, ada, "away")

    assert len(of_bob.of("presence:changed")) == count


async def test_subscribe__over_its_bound__is_refused(users: Users) -> None:
    ada = await users.register()
    live = await ada.connect()
    ids = [f"01890000-0000-7000-8000-{number:012d}" for number in range(201)]

    assert (await live.refusal("presence:subscribe", {"user_ids": ids}))["code"] == "invalid"
    assert len((await live.done("presence:subscribe", {"user_ids": ids[:200]}))["items"]) == 200
    assert (await live.refusal("presence:subscribe", {"user_ids": ids[200:]}))["code"] == "invalid"
    assert (await ada.request("GET", f"/v1/presence?user_ids={','.join(ids[:101])}")).code == "invalid"


async def test_devices__flapping_or_gone__are_offline_only_after_the_last_and_a_grace(users: Users) -> None:
    ada, bob, cy, di = await users.register_all("Ada", "Bob", "Cy", "Di")
    await ada.group_with(bob, cy, di)
    of_bob = await bob.connect()
    await of_bob.done("presence:subscribe", {"user_ids": [ada.id, cy.id, di.id]})
    phone, laptop, of_cy, of_di = [await user.connect() for user in (ada, ada, cy, di)]
    for user in (ada, cy, di):
        await changed(of_bob, user, "online")
    await cy.put("/v1/presence/me", {"last_seen_visible": False})
    await phone.close()
    await laptop.close()
    await ada.connect()
    began = time.monotonic()
    await of_cy.close()
    await of_di.close()
    hidden = await changed(of_bob, cy, "offline", GRACE_S + 5)
    gone = await changed(of_bob, di, "offline", GRACE_S + 5)

    assert time.monotonic() - began > GRACE_S - 1
    assert [seen["status"] for seen in of_bob.of("presence:changed") if seen["user_id"] == ada.id] == ["online"]
    assert gone["last_seen_at"].endswith("Z")
    assert hidden["last_seen_at"] is None
    assert await presence_of(bob, di) == gone


async def test_team_point_08__last_seen__to_contacts__is_for_those_of_a_direct_conversation_who_show_theirs(
    users: Users,
) -> None:
    ada, bob, cy, di = await users.register_all("Ada", "Bob", "Cy", "Di")
    await ada.group_with(bob, cy, di)
    for user in (bob, di):
        await ada.direct_with(user)
    watching = [await user.connect() for user in (bob, cy, di)]
    for live in watching:
        await live.done("presence:subscribe", {"user_ids": [ada.id]})
    of_ada = await ada.connect()
    for live in watching:
        await changed(live, ada, "online")
    await of_ada.done("presence:set", {"last_seen_visible": "contacts"})
    await di.put("/v1/presence/me", {"last_seen_visible": "nobody"})
    assert (await ada.get("/v1/presence/me"))["last_seen_visible"] == "contacts"
    await of_ada.close()
    seen = [(await changed(live, ada, "offline", GRACE_S + 5))["last_seen_at"] for live in watching]

    assert [time is not None for time in seen] == [True, False, False]
    assert [(await presence_of(user, ada))["last_seen_at"] for user in (bob, cy, di)] == seen
    await ada.put("/v1/presence/me", {"last_seen_visible": False})
    await watching[0].wait_for(
        "presence:changed", lambda payload: payload["status"] == "offline" and payload["last_seen_at"] is None
    )


async def test_subscribed_unrelated_user__shows_once_a_conversation_is_shared(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    await ada.connect()
    await eventually(lambda: _is(ada, ada, "online"))
    of_bob = await bob.connect()
    first = (await of_bob.done("presence:subscribe", {"user_ids": [ada.id]}))["items"]
    await ada.direct_with(bob)

    assert first == [offline(ada.id)]
    await changed(of_bob, ada, "online")


async def _is(viewer: User, user: User, status: str) -> bool:
    return bool((await presence_of(viewer, user))["status"] == status)
