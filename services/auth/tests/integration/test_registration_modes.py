"""Who may register: `SYNCTALK_REGISTRATION`."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.auth.tests.harness import PASSWORD, Auth, Start, new_name


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def by_invite(start_auth: Start) -> AsyncIterator[Auth]:
    async with start_auth(registration="invite", profile_timeout_s=5) as auth:
        yield auth


def body(**fields: Any) -> dict[str, Any]:
    return {"username": new_name(), "password": PASSWORD} | fields


async def test_register__closed__is_forbidden_whatever_is_sent(start_auth: Start) -> None:
    async with start_auth(registration="closed") as auth:
        auth.api.invites["good"] = 1
        for fields in ({}, {"invite_code": "good"}, {"password": "password"}):
            answer = await auth.post("/v1/auth/register", body(**fields))
            assert (answer.status, answer.code) == (403, "forbidden")
        assert auth.api.invites == {"good": 1}
        assert await auth.sql("select 1 from users where not is_bot") == []


async def test_register__closed__who_registered_before_signs_in(start_auth: Start) -> None:
    async with start_auth() as before, start_auth(beside=before, registration="closed") as auth:
        name = new_name()
        await before.register(name)
        assert (await auth.login(name)).status == 200


@pytest.mark.parametrize("fields", [{}, {"invite_code": None}, {"invite_code": "unknown"}])
async def test_register__without_a_valid_invite__is_forbidden(by_invite: Auth, fields: dict[str, Any]) -> None:
    answer = await by_invite.post("/v1/auth/register", body(**fields))
    assert (answer.status, answer.code) == (403, "forbidden")


@pytest.mark.parametrize("code", ["", "a/b", "x" * 65, "a b", "a\x00"])
async def test_register__code_of_another_form__is_invalid(by_invite: Auth, code: str) -> None:
    assert (await by_invite.post("/v1/auth/register", body(invite_code=code))).fields == {"invite_code"}


async def test_register__five_at_once_with_an_invite_for_two__two_get_in(by_invite: Auth) -> None:
    by_invite.api.invites["for-two"] = 2

    answers = await asyncio.gather(
        *(by_invite.post("/v1/auth/register", body(invite_code="for-two")) for _ in range(5))
    )

    assert sorted(answer.status for answer in answers) == [201, 201, 403, 403, 403]


async def test_register__refused_for_another_reason__uses_no_invite(by_invite: Auth) -> None:
    by_invite.api.invites["once"] = 1
    name = new_name()
    by_invite.api.invites["first"] = 1
    assert (await by_invite.post("/v1/auth/register", body(username=name, invite_code="first"))).status == 201

    taken = await by_invite.post("/v1/auth/register", body(username=name, invite_code="once"))
    common = await by_invite.post("/v1/auth/register", body(password="password", invite_code="once"))

    assert (taken.code, common.code) == ("username_taken", "invalid")
    assert by_invite.api.invites["once"] == 1


async def test_register__api_does_not_answer_for_the_invite__is_unavailable(start_auth: Start) -> None:
    async with start_auth(registration="invite", api_url="http://127.0.0.1:9") as auth:
        answer = await auth.post("/v1/auth/register", body(invite_code="some"))
        assert (answer.status, answer.code) == (503, "unavailable")
        assert await auth.sql("select 1 from users where not is_bot") == []
