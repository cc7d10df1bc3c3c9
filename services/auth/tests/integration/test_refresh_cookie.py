"""The refresh token in a cookie, for browsers that ask: `X-Synctalk-Refresh: cookie`."""

import logging
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
import structlog
from synctalk_testkit.http import Response

from services.auth.tests.harness import PASSWORD, Auth, Start, new_name

COOKIE = "synctalk_refresh"
ASKED = {"X-Synctalk-Refresh": "cookie"}
REFRESH = "/v1/auth/refresh"


def cookie_of(answer: Response) -> Morsel[str]:
    return SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]


async def register(auth: Auth, **headers: str) -> Response:
    body = {"username": new_name(), "password": PASSWORD}
    return await auth.post("/v1/auth/register", body, headers=ASKED | headers)


async def refresh(auth: Auth, token: str | None, body: Any = None, **headers: str) -> Response:
    shown = {} if token is None else {"Cookie": f"{COOKIE}={token}"}
    return await auth.post(REFRESH, body or {}, headers=ASKED | shown | headers)


async def test_register__asked_for_a_cookie__has_the_token_there_and_nowhere_else(auth: Auth) -> None:
    answer = await register(auth)

    cookie = cookie_of(answer)
    assert answer.status == 201
    assert answer.body["refresh_token"] == ""
    assert len(cookie.value) > 40
    assert cookie["httponly"] is True
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("strict", "/v1/auth", "")
    assert cookie["max-age"] == str(auth.settings.refresh_idle_s)
    assert cookie["secure"] == ""


async def test_login__asked_for_a_cookie__is_as_after_a_registration(auth: Auth) -> None:
    tokens = await auth.register()
    body = {"username": tokens["user"]["username"], "password": PASSWORD}
    answer = await auth.post("/v1/auth/login", body, headers=ASKED)

    assert (answer.status, answer.body["refresh_token"]) == (200, "")
    fresh = await refresh(auth, cookie_of(answer).value)
    assert fresh.body["session_id"] == answer.body["session_id"]


async def test_cookie__of_a_request_that_came_by_https__is_secure(auth: Auth) -> None:
    answer = await register(auth, **{"X-Forwarded-Proto": "https"})
    assert cookie_of(answer)["secure"] is True


async def test_cookie__where_sessions_end_before_an_unused_token__lives_no_longer(start_auth: Start) -> None:
    async with start_auth(session_max_s=600) as brief:
        assert cookie_of(await register(brief))["max-age"] == "600"


async def test_tokens__not_asked_for_a_cookie__set_none(auth: Auth) -> None:
    username = new_name()
    registered = await auth.post("/v1/auth/register", {"username": username, "password": PASSWORD})
    refreshed = await auth.refresh(registered.body["refresh_token"])
    left = await auth.post("/v1/auth/logout", token=refreshed.body["access_token"])
    assert [answer.status for answer in (registered, refreshed, left)] == [201, 200, 204]
    assert all("Set-Cookie" not in answer.headers for answer in (registered, refreshed, left))


async def test_refresh__by_cookie_without_the_header__is_as_if_there_were_none(auth: Auth) -> None:
    shown = {"Cookie": f"{COOKIE}={cookie_of(await register(auth)).value}"}

    empty = await auth.post(REFRESH, {}, headers=shown)
    other = await auth.post(REFRESH, {"refresh_token": "nonsense"}, headers=shown)

    assert (empty.status, empty.code) == (422, "invalid")
    assert empty.body["error"]["details"] == [{"field": "refresh_token", "message": "Field required"}]
    assert (other.status, other.code) == (401, "invalid_refresh_token")


async def test_refresh__header_that_says_something_else__is_refused(auth: Auth) -> None:
    answer = await auth.post(REFRESH, {}, headers={"X-Synctalk-Refresh": "body"})
    assert (answer.status, answer.code) == (422, "invalid")


async def test_refresh__by_a_cookie_that_is_missing_or_no_token__is_refused(auth: Auth) -> None:
    for token in (None, "", "nonsense", "x" * 4_000, '"\\377\\000"'):
        answer = await refresh(auth, token)
        assert (answer.status, answer.code) == (401, "invalid_refresh_token")


async def test_refresh__by_cookie__rotates_it(auth: Auth) -> None:
    first = await register(auth)
    second = await refresh(auth, cookie_of(first).value)
    third = await refresh(auth, cookie_of(second).value)

    assert [answer.status for answer in (second, third)] == [200, 200]
    assert len({cookie_of(answer).value for answer in (first, second, third)}) == 3
    assert {answer.body["refresh_token"] for answer in (second, third)} == {""}

    assert (await refresh(auth, cookie_of(first).value)).code == "invalid_refresh_token"
    assert (await refresh(auth, cookie_of(third).value)).code == "invalid_refresh_token"


async def test_refresh__by_cookie_and_the_answer_was_lost__the_same_again_is_answered(auth: Auth) -> None:
    token = cookie_of(await register(auth)).value
    lost = await refresh(auth, token)
    again = await refresh(auth, token)

    assert again.status == 200
    assert cookie_of(again).value == cookie_of(lost).value
    assert (await refresh(auth, cookie_of(again).value)).status == 200


async def test_refresh__token_in_the_body_beside_another_cookie__moves_into_the_cookie(auth: Auth) -> None:
    mine = await auth.register()
    other = cookie_of(await register(auth)).value

    moved = await refresh(auth, other, {"refresh_token": mine["refresh_token"]})

    assert (moved.body["session_id"], moved.body["refresh_token"]) == (mine["session_id"], "")
    assert (await refresh(auth, cookie_of(moved).value)).body["session_id"] == mine["session_id"]


async def test_logout__asked_for_a_cookie__clears_it_and_ends_the_session(auth: Auth) -> None:
    signed_in = await register(auth)

    left = await auth.post("/v1/auth/logout", token=signed_in.body["access_token"], headers=ASKED)

    cookie = cookie_of(left)
    assert left.status == 204
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("", "0", "/v1/auth")
    assert (await refresh(auth, cookie_of(signed_in).value)).code == "invalid_refresh_token"


async def test_preflight__of_an_allowed_origin__allows_neither_the_header_nor_credentials(start_auth: Start) -> None:
    async with start_auth(allowed_origins=["https://other.example"]) as auth:
        asked = {"Origin": "https://other.example", "Access-Control-Request-Method": "POST"}
        plain = asked | {"Access-Control-Request-Headers": "content-type"}
        assert (await auth.call("OPTIONS", REFRESH, headers=plain)).status == 200

        answer = await auth.call(
            "OPTIONS", REFRESH, headers=asked | {"Access-Control-Request-Headers": "x-synctalk-refresh"}
        )

        assert "x-synctalk-refresh" not in answer.headers["Access-Control-Allow-Headers"].lower()
        assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_logs__of_a_life_by_cookie__hold_no_token(auth: Auth, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with structlog.testing.capture_logs() as lines:
        first = await register(auth)
        second = await refresh(auth, cookie_of(first).value)
        await refresh(auth, "nonsense-that-is-no-token")
        await auth.post("/v1/auth/logout", token=second.body["access_token"], headers=ASKED)

    said = f"{lines} {caplog.text}"
    assert "auth.registered" in said
    for token in (cookie_of(first).value, cookie_of(second).value, "nonsense-that-is-no-token"):
        assert token not in said
