"""Signing in and out, and what a session's end means everywhere: on every service, and on live sockets."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from synctalk_systemtest.beside import beside
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, RefusedError, User, Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import request
from synctalk_testkit.raw import raw_socket

REVOKED_WITHIN_S = 1.0
SHORT_S = 3
LEEWAY_S = 5
NEW_PASSWORD = "an even better battery staple"

ENDPOINTS = ("/v1/auth/sessions", "/v1/users/me", "/v1/presence?user_ids=", "/v1/devices")
"""One of each service that takes tokens."""


@pytest.fixture(scope="session")
def short_auth(shared_stack: RunningStack) -> Iterator[str]:
    """An auth process whose tokens end after a few seconds."""
    with beside(shared_stack, "auth-1", {"ACCESS_TOKEN_TTL_S": str(SHORT_S)}) as url:
        yield url


async def refresh_at(auth_url: str, user: User) -> dict[str, Any]:
    """New tokens of the user's session, from this auth process."""
    body = {"refresh_token": user.tokens["refresh_token"]}
    answer = await request(user.http, "POST", f"{auth_url}/v1/auth/refresh", json=body)
    assert answer.status == 200, answer
    tokens: dict[str, Any] = answer.body
    return tokens


async def expect_refused_everywhere(user: User, since: float) -> None:
    """Every service refuses the token, a second later at most."""
    for endpoint in ENDPOINTS:

        async def refused(path: str = endpoint) -> bool:
            return (await user.request("GET", path)).code == "unauthenticated"

        await eventually(refused, 5, message=f"{endpoint} still takes the token")
    assert time.monotonic() - since < REVOKED_WITHIN_S


async def expect_ended(live: LiveSocket, reason: str, since: float) -> None:
    await live.wait_for("session:ended", lambda payload: payload == {"reason": reason})
    ended = next(event for event in live.events if event.event == "session:ended")
    assert ended.at - since < REVOKED_WITHIN_S
    await live.wait_disconnected()
    assert live.events[-1].event == "session:ended"


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("header", [{}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}])
async def test_endpoint__without_a_readable_token__is_unauthenticated(
    users: Users, endpoint: str, header: dict[str, str]
) -> None:
    answer = await request(users.http, "GET", users.base_url + endpoint, headers=header)

    assert (answer.status, answer.code) == (401, "unauthenticated")


async def test_endpoint__token_in_the_query__is_not_taken(users: Users) -> None:
    ada = await users.register()
    answer = await request(users.http, "GET", f"{users.base_url}/v1/users/me?token={ada.access_token}")

    assert (answer.status, answer.code) == (401, "unauthenticated")


@pytest.mark.parametrize("auth", [None, {}, {"token": None}, {"token": 7}, {"token": ""}, {"token": "x.y.z"}, []])
async def test_connect__without_a_good_token__is_refused_with_the_error_body(users: Users, auth: Any) -> None:
    async with raw_socket(users.http, users.base_url) as raw:
        await raw.send("40" + json.dumps(auth))
        refusal = json.loads((await raw.wait_for("44"))[2:])
        await raw.wait_closed()

    assert refusal["message"] == refusal["data"]["error"]["code"] == "unauthenticated"
    assert [packet[:2] for packet in raw.packets] == ["0{", "44"]


async def test_login__wrong_password_or_unknown_name__answer_alike(users: Users) -> None:
    ada = await users.register()
    url = f"{users.base_url}/v1/auth/login"
    wrong = await request(users.http, "POST", url, json={"username": ada.username, "password": "not hers at all"})
    unknown = await request(users.http, "POST", url, json={"username": "nobody-is-this", "password": "not hers at all"})

    assert (wrong.status, wrong.code) == (401, "invalid_credentials")
    assert (unknown.status, unknown.body) == (wrong.status, wrong.body)


async def test_register__name_taken_in_another_case__is_a_conflict(users: Users) -> None:
    ada = await users.register()
    body = {"username": ada.username.upper(), "password": ada.password}
    answer = await request(users.http, "POST", f"{users.base_url}/v1/auth/register", json=body)

    assert (answer.status, answer.code) == (409, "username_taken")


async def test_tokens__have_the_promised_shape(users: Users) -> None:
    ada = await users.register("Ada")

    assert ada.tokens.keys() == {"access_token", "refresh_token", "token_type", "expires_in", "session_id", "user"}
    assert (ada.tokens["token_type"], ada.tokens["expires_in"]) == ("Bearer", 900)
    assert ada.tokens["user"] == {
        "id": ada.id,
        "username": ada.username,
        "display_name": "Ada",
        "avatar_url": None,
        "is_bot": False,
        "is_guest": False,
        "metadata": {},
    }
    keys = await request(users.http, "GET", f"{users.base_url}/.well-known/jwks.json")
    assert all(key["kid"] and "d" not in key for key in keys.body["keys"])


async def test_refresh__shown_twice__ends_the_family_everywhere(users: Users) -> None:
    ada = await users.register()
    live = await ada.connect()
    spent = ada.tokens["refresh_token"]
    await ada.refresh()
    await ada.refresh()  # until then the first answer could have been lost
    body = {"refresh_token": spent}
    began = time.monotonic()
    again = await request(users.http, "POST", f"{users.base_url}/v1/auth/refresh", json=body)

    assert (again.status, again.code) == (401, "invalid_refresh_token")
    await expect_ended(live, "refresh_reused", began)
    await expect_refused_everywhere(ada, began)
    newest = {"refresh_token": ada.tokens["refresh_token"]}
    after = await request(users.http, "POST", f"{users.base_url}/v1/auth/refresh", json=newest)
    assert after.code == "invalid_refresh_token"


async def test_logout__ends_this_session_alone(users: Users) -> None:
    ada = await users.register()
    phone = await ada.login("phone")
    live, other = await ada.connect(), await phone.connect()
    began = time.monotonic()
    assert (await ada.request("POST", "/v1/auth/logout")).status == 204

    await expect_ended(live, "logged_out", began)
    await expect_refused_everywhere(ada, began)
    assert (await phone.get("/v1/users/me"))["id"] == ada.id
    await other.done("presence:unsubscribe", {"user_ids": []})
    await phone.close()


async def test_connect__with_an_ended_session__is_refused(users: Users) -> None:
    ada = await users.register()
    began = time.monotonic()
    await ada.post("/v1/auth/logout")
    await expect_refused_everywhere(ada, began)

    with pytest.raises(RefusedError) as refused:
        await ada.connect()
    assert refused.value.body["error"]["code"] == "unauthenticated"


async def test_sessions__are_listed_and_one_is_revoked(users: Users) -> None:
    ada = await users.register(device_name="laptop")
    phone = await ada.login("phone")
    live = await phone.connect()
    listed = await ada.get("/v1/auth/sessions")
    assert {(item["device_name"], item["current"]) for item in listed["items"]} == {("laptop", True), ("phone", False)}
    began = time.monotonic()
    await ada.delete(f"/v1/auth/sessions/{phone.session_id}")

    await expect_ended(live, "revoked", began)
    await expect_refused_everywhere(phone, began)
    assert [item["session_id"] for item in (await ada.get("/v1/auth/sessions"))["items"]] == [ada.session_id]


async def test_session__of_somebody_else__is_not_found(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    answer = await bob.request("DELETE", f"/v1/auth/sessions/{ada.session_id}")

    assert (answer.status, answer.code) == (404, "not_found")
    assert (await ada.get("/v1/users/me"))["id"] == ada.id


async def test_password__changed__ends_every_other_session(users: Users) -> None:
    ada = await users.register()
    phone = await ada.login("phone")
    mine, other = await ada.connect(), await phone.connect()
    wrong = {"current_password": "not hers at all", "new_password": NEW_PASSWORD}
    assert (await ada.request("POST", "/v1/auth/password", json=wrong)).code == "wrong_password"
    began = time.monotonic()
    await ada.post("/v1/auth/password", wrong | {"current_password": ada.password})

    await expect_ended(other, "password_changed", began)
    await expect_refused_everywhere(phone, began)
    await mine.done("presence:unsubscribe", {"user_ids": []})
    ada.password = NEW_PASSWORD
    assert (await ada.login()).id == ada.id


async def test_expired_token__warns_and_ends_the_socket(users: Users, short_auth: str) -> None:
    ada = await users.register()
    ada.tokens = await refresh_at(short_auth, ada)
    live = await ada.connect()
    warning = await live.wait_for("session:expiring")
    await live.wait_for("session:ended", lambda payload: payload == {"reason": "expired"}, SHORT_S + 2)
    await live.wait_disconnected()

    assert list(warning) == ["expires_at"]
    await eventually(lambda: _is(ada, "token_expired"), SHORT_S + LEEWAY_S)
    with pytest.raises(RefusedError) as refused:
        await ada.connect()
    assert refused.value.body["error"]["code"] == "token_expired"


async def test_auth_refresh__of_another_session__is_refused(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    phone = await ada.login()
    live = await ada.connect()

    for token in (phone.access_token, bob.access_token, "x.y.z"):
        assert (await live.refusal("auth:refresh", {"token": token}))["code"] == "unauthenticated"


async def test_auth_refresh__carries_the_socket_past_the_old_tokens_end(users: Users, short_auth: str) -> None:
    ada = await users.register()
    ada.tokens = await refresh_at(short_auth, ada)
    old = User(ada.base_url, ada.http, ada.username, ada.password, ada.tokens)
    live = await ada.connect()
    await ada.refresh()
    ack = await live.done("auth:refresh", {"token": ada.access_token})

    assert ack["expires_at"].endswith("Z")
    await eventually(lambda: _is(old, "token_expired"), SHORT_S + LEEWAY_S + 2)
    await live.done("presence:unsubscribe", {"user_ids": []})
    assert live.of("session:ended") == []


async def _is(user: User, code: str) -> bool:
    return (await user.request("GET", "/v1/users/me")).code == code
