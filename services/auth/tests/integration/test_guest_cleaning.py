"""Guests that nobody has used for 30 days go, if they are in no conversation."""

import pytest
from synctalk_auth.actions import guest_cleaning

from services.auth.tests.harness import Auth


async def guest(auth: Auth, days: int) -> str:
    """Let a guest in, as if that had been so many days ago; return its id."""
    tokens = (await auth.post("/v1/auth/guest", {})).body
    guest_id: str = tokens["user"]["id"]
    await age(auth, "users", "created_at", "id", guest_id, days)
    await age(auth, "sessions", "last_used_at", "user_id", guest_id, days)
    return guest_id


async def age(auth: Auth, table: str, column: str, key: str, value: str, days: int) -> None:
    await auth.sql(
        f"update {table} set {column} = now() - make_interval(days => $2) where {key} = $1::text::uuid",  # noqa: S608
        value,
        days,
    )


async def is_there(auth: Auth, user_id: str) -> bool:
    return bool(await auth.sql("select from users where id = $1::text::uuid", user_id))


async def test_guest__unused_and_in_no_conversation__goes_with_its_sessions(auth: Auth) -> None:
    old = await guest(auth, 31)

    await auth.services.guest_cleaning.clean()

    assert not await is_there(auth, old)
    assert not await auth.sql("select from sessions where user_id = $1::text::uuid", old)


async def test_guest__young_or_used_or_in_a_conversation__stays(auth: Auth) -> None:
    young, used, member = await guest(auth, 29), await guest(auth, 31), await guest(auth, 31)
    await age(auth, "sessions", "last_used_at", "user_id", used, 29)
    auth.api.in_conversations.add(member)

    await auth.services.guest_cleaning.clean()

    assert [await is_there(auth, each) for each in (young, used, member)] == [True, True, True]


async def test_user__who_is_no_guest__stays_however_long_unused(auth: Auth) -> None:
    user_id = (await auth.register())["user"]["id"]
    await age(auth, "users", "created_at", "id", user_id, 400)
    await age(auth, "sessions", "last_used_at", "user_id", user_id, 400)

    await auth.services.guest_cleaning.clean()

    assert await is_there(auth, user_id)


async def test_guest__that_was_claimed__stays(auth: Auth) -> None:
    user, claimed = await auth.register(), (await auth.post("/v1/auth/guest", {})).body
    body = {"guest_refresh_token": claimed["refresh_token"]}
    assert (await auth.post("/v1/auth/claim", body, token=user["access_token"])).status == 204
    await age(auth, "users", "created_at", "id", claimed["user"]["id"], 400)
    await age(auth, "sessions", "last_used_at", "user_id", claimed["user"]["id"], 400)

    await auth.services.guest_cleaning.clean()

    assert await is_there(auth, claimed["user"]["id"])


async def test_guests__more_than_one_batch__all_go(auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_cleaning, "GUESTS_AT_ONCE", 2)
    old = [await guest(auth, 31) for _ in range(5)]
    auth.api.in_conversations.add(old[0])

    await auth.services.guest_cleaning.clean()

    assert [await is_there(auth, each) for each in old] == [True, False, False, False, False]


async def test_guests__while_api_is_away__stay_for_the_next_time(auth: Auth) -> None:
    old = await guest(auth, 31)
    auth.api.hangs = True
    try:
        await auth.services.guest_cleaning.clean()
        assert await is_there(auth, old)
    finally:
        auth.api.hangs = False
    await auth.services.guest_cleaning.clean()
    assert not await is_there(auth, old)
