"""`POST /v1/auth/register`."""

import asyncio
from typing import Any

import asyncpg
import jwt
import pytest
from synctalk_contracts.models import Tokens

from services.auth.tests.harness import PASSWORD, Auth, Start, new_name


@pytest.mark.parametrize("username", ["ab", "a" * 33, "has space", "naïve", "a/b", "", "ada\n", "ada\x00"])
async def test_register__username_of_another_form__is_refused(auth: Auth, username: str) -> None:
    answer = await auth.post("/v1/auth/register", {"username": username, "password": PASSWORD})

    assert (answer.status, answer.code) == (422, "invalid")
    assert [problem["field"] for problem in answer.body["error"]["details"]] == ["username"]


@pytest.mark.parametrize("password", ["short-7", "x" * 257, "Password123", "qwertyuiop", "11111111", "violet\x00anvil"])
async def test_register__password_short_long_or_common__is_refused(auth: Auth, password: str) -> None:
    answer = await auth.post("/v1/auth/register", {"username": new_name(), "password": password})

    assert (answer.status, answer.code) == (422, "invalid")
    assert [problem["field"] for problem in answer.body["error"]["details"]] == ["password"]
    assert password not in str(answer.body["error"]["message"])


async def test_register__password_is_the_username__is_refused(auth: Auth) -> None:
    name = new_name()
    answer = await auth.post("/v1/auth/register", {"username": name, "password": name.upper()})
    assert (answer.status, answer.code) == (422, "invalid")


async def test_register__name_of_another_in_any_case__is_taken(auth: Auth) -> None:
    name = new_name()
    await auth.register(name)

    answer = await auth.post("/v1/auth/register", {"username": name.upper(), "password": PASSWORD})

    assert (answer.status, answer.code) == (409, "username_taken")


async def test_register__twenty_at_once_want_one_name__one_gets_it(auth: Auth) -> None:
    body = {"username": new_name(), "password": PASSWORD}

    answers = await asyncio.gather(*(auth.post("/v1/auth/register", body) for _ in range(20)))

    assert sorted(answer.status for answer in answers) == [201] + [409] * 19
    assert len(await auth.sql("select 1 from users where username = $1", body["username"])) == 1


async def test_register__password_column__holds_an_argon2id_hash(auth: Auth) -> None:
    tokens = await auth.register()
    rows = await auth.sql("select password_hash from users where id = $1::text::uuid", tokens["user"]["id"])
    assert rows[0]["password_hash"].startswith("$argon2id$")


async def test_register__well__answers_tokens_as_the_interface_says(auth: Auth) -> None:
    name = new_name()

    tokens = await auth.register(
        name.upper(), display_name="Ada Lovelace", email="ada@example.org", device_name="phone"
    )

    assert Tokens.model_validate(tokens).token_type == "Bearer"
    assert tokens["expires_in"] == 900
    assert tokens["user"] == {
        "id": tokens["user"]["id"],
        "username": name,
        "display_name": "Ada Lovelace",
        "avatar_url": None,
        "is_bot": False,
        "is_guest": False,
        "metadata": {},
    }
    claims = jwt.decode(tokens["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["sid"]) == (tokens["user"]["id"], tokens["session_id"])


async def test_register__without_a_display_name__is_called_by_the_username(auth: Auth) -> None:
    name = new_name()
    assert (await auth.register(name))["user"]["display_name"] == name


@pytest.mark.parametrize(
    "fields", [{"display_name": None, "email": None, "device_name": None}, {"username": "a.b-c_9"}]
)
async def test_register__nulls_and_every_kind_of_character__is_well(auth: Auth, fields: dict[str, Any]) -> None:
    assert await auth.register(**fields)


async def test_register__well__api_knows_the_user_when_it_answers(auth: Auth) -> None:
    tokens = await auth.register()
    assert auth.api.introduced[tokens["user"]["id"]].model_dump() == tokens["user"]


async def test_register__api_hangs__is_well_all_the_same(start_auth: Start) -> None:
    async with start_auth(profile_timeout_s=0.1) as auth:
        auth.api.hangs = True
        assert await auth.register()


async def test_register__api_is_down__is_well_all_the_same(start_auth: Start) -> None:
    async with start_auth(api_url="http://127.0.0.1:9") as auth:
        assert await auth.register()


async def test_register__too_many_passwords_wait__is_unavailable_with_a_time(start_auth: Start) -> None:
    async with start_auth(hash_threads=1, hash_max_waiting=1) as auth:
        bodies = [{"username": new_name(), "password": PASSWORD} for _ in range(20)]

        answers = await asyncio.gather(*(auth.post("/v1/auth/register", body) for body in bodies))

        refused = [answer for answer in answers if answer.status != 201]
        assert refused
        assert {(answer.status, answer.code) for answer in refused} == {(503, "unavailable")}
        assert all("Retry-After" in answer.headers for answer in refused)


async def test_users__name_in_upper_case__cannot_be_stored(auth: Auth) -> None:
    tokens = await auth.register()
    with pytest.raises(asyncpg.CheckViolationError):
        await auth.sql("update users set username = 'ADA' where id = $1::text::uuid", tokens["user"]["id"])
