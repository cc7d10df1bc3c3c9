"""`/v1/server/bots`, and what a bot's token may do at auth."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from synctalk_contracts.models import Scope

from services.auth.tests.harness import Auth, new_name

PATH = "/v1/server/bots"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def key(auth: Auth) -> AsyncIterator[str]:
    _, key = await auth.services.server_keys.create("bots", [Scope.BOTS], None, by=None)
    yield key


async def make(auth: Auth, key: str, username: str | None = None) -> dict[str, Any]:
    body = {"username": username or new_name(), "display_name": "Helper"}
    answer = await auth.post(PATH, body, token=key)
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.body
    return made


async def test_bots__without_the_scope_or_a_server_key__are_forbidden(auth: Auth, key: str) -> None:
    _, other = await auth.services.server_keys.create(
        "other", [scope for scope in Scope if scope is not Scope.BOTS], None, by=None
    )
    bot, user = await make(auth, key), await auth.register()
    body = {"username": new_name(), "display_name": "Helper"}
    for token in (other, bot["token"], user["access_token"]):
        assert (await auth.post(PATH, body, token=token)).code == "forbidden"
        assert (await auth.get(PATH, token=token)).code == "forbidden"
        for method, path in (("POST", "/token"), ("DELETE", "")):
            answer = await auth.call(method, f"{PATH}/{bot['user']['id']}{path}", token=token)
            assert answer.code == "forbidden"
    assert (await auth.post(PATH, body)).code == "unauthenticated"
    assert (await auth.post("/v1/auth/logout", token=bot["token"])).status == 204


@pytest.mark.parametrize("body", [{"username": "ab"}, {"display_name": ""}, {"is_admin": True}, {"username": None}])
async def test_make__wrong_field__is_invalid(auth: Auth, key: str, body: dict[str, Any]) -> None:
    answer = await auth.post(PATH, {"username": new_name(), "display_name": "Helper"} | body, token=key)
    assert (answer.status, answer.fields) == (422, set(body))


async def test_make__name_of_another_or_of_a_guest__is_taken(auth: Auth, key: str) -> None:
    user = await auth.register()
    for username in (user["user"]["username"].upper(), "guest-0123456789"):
        answer = await auth.post(PATH, {"username": username, "display_name": "Helper"}, token=key)
        assert (answer.status, answer.code) == (409, "username_taken")


async def test_bot__well__is_a_user_that_is_marked_and_has_no_password(auth: Auth, key: str) -> None:
    bot = await make(auth, key)
    assert bot["token"].startswith("stb_")
    assert (bot["user"]["is_bot"], bot["user"]["display_name"]) == (True, "Helper")
    assert auth.api.introduced[bot["user"]["id"]].is_bot
    assert (await auth.login(bot["user"]["username"])).code == "invalid_credentials"
    rows = await auth.sql("select hash::text from bot_tokens")
    assert bot["token"] not in str(rows)


async def test_bot__at_auth__may_log_out_and_nothing_else(auth: Auth, key: str) -> None:
    bot = await make(auth, key)
    token = bot["token"]
    guest = (await auth.post("/v1/auth/guest", {})).body["refresh_token"]
    change = {"current_password": "x", "new_password": "amber-lantern-77"}
    for answer in (
        await auth.get("/v1/auth/sessions", token=token),
        await auth.call("DELETE", f"/v1/auth/sessions/{bot['user']['id']}", token=token),
        await auth.post("/v1/auth/password", change, token=token),
        await auth.post("/v1/auth/claim", {"guest_refresh_token": guest}, token=token),
    ):
        assert (answer.status, answer.code) == (403, "forbidden")

    assert (await auth.post("/v1/auth/logout", token=token)).status == 204
    assert (await auth.post("/v1/auth/logout", token=token)).code == "unauthenticated"


async def test_token__new_one__ends_the_old_one_for_every_service(auth: Auth, key: str) -> None:
    bot = await make(auth, key)
    sessions = await auth.sql("select id::text from sessions where user_id = $1::text::uuid", bot["user"]["id"])

    renewed = (await auth.post(f"{PATH}/{bot['user']['id']}/token", token=key)).body["token"]

    assert (await auth.post("/v1/auth/logout", token=bot["token"])).code == "unauthenticated"
    revoked = (await auth.internal("GET", "/internal/revocations")).body
    assert sessions[0]["id"] in [event["session_id"] for event in revoked]
    assert (await auth.post("/v1/auth/logout", token=renewed)).status == 204


async def test_delete__ends_the_bot_and_can_be_repeated(auth: Auth, key: str) -> None:
    bot = await make(auth, key)
    path = f"{PATH}/{bot['user']['id']}"
    for _ in range(2):
        assert (await auth.call("DELETE", path, token=key)).status == 204
    assert (await auth.post("/v1/auth/logout", token=bot["token"])).code == "unauthenticated"
    assert (await auth.post(f"{path}/token", token=key)).code == "not_found"
    listed = (await auth.get(PATH, token=key)).body["items"]
    assert bot["user"]["id"] not in [item["id"] for item in listed]


async def test_delete__a_user_who_is_no_bot__is_not_found(auth: Auth, key: str) -> None:
    user = await auth.register()
    path = f"{PATH}/{user['user']['id']}"
    assert (await auth.call("DELETE", path, token=key)).code == "not_found"
    assert (await auth.post(f"{path}/token", token=key)).code == "not_found"
    assert (await auth.get("/v1/auth/sessions", token=user["access_token"])).status == 200


async def test_list__in_pages__has_every_bot_once(auth: Auth, key: str) -> None:
    made = [(await make(auth, key))["user"]["id"] for _ in range(5)]
    found: list[str] = []
    cursor: str | None = None
    while True:
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await auth.get(PATH, params=params, token=key)).body
        found += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(found) == len(set(found))
    assert set(made) <= set(found)
    assert (await auth.get(PATH, params={"cursor": "x"}, token=key)).code == "bad_cursor"


async def test_cleaning__a_bots_session_that_nobody_used_for_years__stays(auth: Auth, key: str) -> None:
    bot = await make(auth, key)
    await auth.sql(
        "update sessions set last_used_at = now() - $2::interval where user_id = $1::text::uuid",
        bot["user"]["id"],
        timedelta(days=1000),
    )
    await auth.services.cleaning.clean()
    assert (await auth.post("/v1/auth/logout", token=bot["token"])).status == 204
