"""`POST /v1/auth/password`."""

import asyncio

import pytest

from services.auth.tests.harness import PASSWORD, Auth, Start, new_name

NEW = "amber-lantern-77"


def change(new: str = NEW, current: str = PASSWORD) -> dict[str, str]:
    return {"current_password": current, "new_password": new}


async def test_password__current_one_wrong__is_forbidden_and_changes_nothing(auth: Auth) -> None:
    name = new_name()
    token = (await auth.register(name))["access_token"]

    answer = await auth.post("/v1/auth/password", change(current="violet-anvil-43"), token=token)

    assert (answer.status, answer.code) == (403, "wrong_password")
    assert (await auth.login(name)).status == 200


@pytest.mark.parametrize("new", ["short-7", "password123", "x" * 257])
async def test_password__new_one_not_allowed__is_invalid(auth: Auth, new: str) -> None:
    token = (await auth.register())["access_token"]
    answer = await auth.post("/v1/auth/password", change(new), token=token)
    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.body["error"]["details"][0]["field"] == "new_password"


async def test_password__guessed_with_a_stolen_token__is_slowed_down(start_auth: Start) -> None:
    async with start_auth(guess_burst=3) as auth:
        token = (await auth.register())["access_token"]
        answers = [await auth.post("/v1/auth/password", change(current=f"guess-{n}"), token=token) for n in range(4)]
        assert [answer.status for answer in answers] == [403, 403, 403, 429]


async def test_password__changed__ends_every_other_session_and_this_one_goes_on(auth: Auth) -> None:
    name = new_name()
    mine = await auth.register(name)
    other = (await auth.login(name)).body

    assert (await auth.post("/v1/auth/password", change(), token=mine["access_token"])).status == 204

    assert (await auth.get("/v1/auth/sessions", token=other["access_token"])).code == "unauthenticated"
    assert (await auth.refresh(other["refresh_token"])).code == "invalid_refresh_token"
    assert (await auth.refresh(mine["refresh_token"])).status == 200
    assert (await auth.login(name)).code == "invalid_credentials"
    assert (await auth.login(name, NEW)).status == 200


async def test_password__changed_twice_at_once__one_wins(auth: Auth) -> None:
    mine = await auth.register()

    answers = await asyncio.gather(
        *(auth.post("/v1/auth/password", change(f"{NEW}-{n}"), token=mine["access_token"]) for n in range(2))
    )

    assert sorted(answer.status for answer in answers) == [204, 403]


async def test_password__logins_with_the_old_one_at_the_same_moment__none_stays_in(auth: Auth) -> None:
    name = new_name()
    mine = await auth.register(name)

    changed, *logins = await asyncio.gather(
        auth.post("/v1/auth/password", change(), token=mine["access_token"]), *(auth.login(name) for _ in range(10))
    )

    assert changed.status == 204
    live = await auth.get("/v1/auth/sessions", token=mine["access_token"])
    assert [session["session_id"] for session in live.body["items"]] == [mine["session_id"]]
    assert {login.status for login in logins} <= {200, 401}
