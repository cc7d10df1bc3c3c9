"""Guests: who may come in, and what becomes of them when a user claims one."""

import asyncio
from typing import Any

import jwt
import pytest
from synctalk_contracts.models import Tokens
from synctalk_testkit.http import Response

from services.auth.tests.harness import PASSWORD, Auth, Start, new_name


async def guest(auth: Auth, **fields: Any) -> dict[str, Any]:
    answer = await auth.post("/v1/auth/guest", fields)
    assert answer.status == 201, answer
    tokens: dict[str, Any] = answer.body
    return tokens


async def claim(auth: Auth, user: dict[str, Any] | None, refresh_token: str) -> Response:
    token = user["access_token"] if user is not None else None
    return await auth.post("/v1/auth/claim", {"guest_refresh_token": refresh_token}, token=token)


async def test_guest__off__is_forbidden(start_auth: Start) -> None:
    async with start_auth(guests="off") as auth:
        answer = await auth.post("/v1/auth/guest", {})
        assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize("body", [{"display_name": ""}, {"display_name": "x" * 65}, {"username": "ada"}])
async def test_guest__wrong_field__is_invalid(auth: Auth, body: dict[str, Any]) -> None:
    assert (await auth.post("/v1/auth/guest", body)).code == "invalid"


async def test_guest__more_than_ten_a_minute__are_rate_limited(start_auth: Start) -> None:
    async with start_auth(guests_per_address_burst=10, guests_per_address_per_s=1 / 6) as auth:
        answers = await asyncio.gather(*(auth.post("/v1/auth/guest", {}) for _ in range(12)))
        assert sorted(answer.status for answer in answers) == [201] * 10 + [429] * 2


async def test_guest__well__is_marked_as_one_everywhere(auth: Auth) -> None:
    tokens = await guest(auth, display_name="Ada")

    assert Tokens.model_validate(tokens)
    assert (tokens["user"]["is_guest"], tokens["user"]["display_name"]) == (True, "Ada")
    assert tokens["user"]["username"].startswith("guest-")
    assert len(tokens["user"]["username"]) == len("guest-") + 10
    assert jwt.decode(tokens["access_token"], options={"verify_signature": False})["guest"] is True
    assert auth.api.introduced[tokens["user"]["id"]].is_guest
    fresh = (await auth.refresh(tokens["refresh_token"])).body
    assert fresh["user"]["is_guest"]
    assert jwt.decode(fresh["access_token"], options={"verify_signature": False})["guest"] is True


async def test_guest__has_no_password__nobody_signs_in_as_one(auth: Auth) -> None:
    tokens = await guest(auth)
    assert (await auth.login(tokens["user"]["username"])).code == "invalid_credentials"
    change = {"current_password": PASSWORD, "new_password": "amber-lantern-77"}
    answer = await auth.post("/v1/auth/password", change, token=tokens["access_token"])
    assert (answer.status, answer.code) == (403, "wrong_password")


@pytest.mark.parametrize("username", ["guest-0123456789", "GUEST-x", "deleted-0123456789"])
async def test_register__name_of_a_guest__is_taken(auth: Auth, username: str) -> None:
    answer = await auth.post("/v1/auth/register", {"username": username, "password": PASSWORD})
    assert (answer.status, answer.code) == (409, "username_taken")


async def test_register__name_that_mentions_everybody__is_invalid(auth: Auth) -> None:
    for username in ("all", "ALL"):
        answer = await auth.post("/v1/auth/register", {"username": username, "password": PASSWORD})
        assert (answer.status, answer.code, answer.fields) == (422, "invalid", {"username"})


async def test_claim__without_a_users_token_or_by_a_guest__is_refused(auth: Auth) -> None:
    claimed, other = await guest(auth), await guest(auth)
    assert (await claim(auth, None, claimed["refresh_token"])).code == "unauthenticated"
    for who in (other, claimed):
        assert (await claim(auth, who, claimed["refresh_token"])).code == "forbidden"
    assert (await auth.refresh(claimed["refresh_token"])).status == 200


async def test_claim__no_living_guests_token__is_refused(auth: Auth) -> None:
    user, other, left = await auth.register(), await auth.register(), await guest(auth)
    await auth.post("/v1/auth/logout", token=left["access_token"])
    spent = await guest(auth)
    await auth.refresh(spent["refresh_token"])
    tokens = [other["refresh_token"], user["refresh_token"], left["refresh_token"], spent["refresh_token"], "unknown"]
    for refresh_token in [*tokens, left["access_token"][:512]]:
        answer = await claim(auth, user, refresh_token)
        assert (answer.status, answer.code) == (401, "invalid_refresh_token")
    assert (await auth.refresh(other["refresh_token"])).status == 200


async def test_claim__well__ends_the_guest_at_once(auth: Auth) -> None:
    user, claimed = await auth.register(), await guest(auth)

    assert (await claim(auth, user, claimed["refresh_token"])).status == 204

    assert (await auth.refresh(claimed["refresh_token"])).code == "invalid_refresh_token"
    assert (await auth.get("/v1/auth/sessions", token=claimed["access_token"])).code == "unauthenticated"
    revoked = (await auth.internal("GET", "/internal/revocations")).body
    assert claimed["session_id"] in [event["session_id"] for event in revoked]
    rows = await auth.sql("select claimed_by::text from users where id = $1::text::uuid", claimed["user"]["id"])
    assert rows[0]["claimed_by"] == user["user"]["id"]


async def test_claim__again__is_well_for_the_same_user_and_refused_for_another(auth: Auth) -> None:
    user, another, claimed = await auth.register(), await auth.register(), await guest(auth)
    for _ in range(2):
        assert (await claim(auth, user, claimed["refresh_token"])).status == 204
    assert (await claim(auth, another, claimed["refresh_token"])).code == "invalid_refresh_token"


async def test_claim__by_ten_users_at_once__one_gets_it(auth: Auth) -> None:
    claimed = await guest(auth)
    users = [await auth.register(new_name()) for _ in range(5)]
    answers = await asyncio.gather(*(claim(auth, user, claimed["refresh_token"]) for user in users * 2))
    by_user = {answer.status for answer in answers}
    assert by_user == {204, 401}
    winners = {n % 5 for n, answer in enumerate(answers) if answer.status == 204}
    assert len(winners) == 1
