"""`/v1/auth/logout` and `/v1/auth/sessions`."""

import time
from typing import Any

import jwt
import pytest
from synctalk_runtime.ids import new_id, utc_now
from synctalk_testkit.tokens import TokenMaker

from services.auth.tests.harness import Auth, Start, new_name

BEARER_CALLS = [
    ("POST", "/v1/auth/logout"),
    ("GET", "/v1/auth/sessions"),
    ("DELETE", "/v1/auth/sessions/0198c5a0-0000-7000-8000-000000000009"),
    ("POST", "/v1/auth/password"),
]


@pytest.mark.parametrize(("method", "path"), BEARER_CALLS)
@pytest.mark.parametrize("header", [None, "Bearer", "Basic YTpi", "Bearer nonsense", "Bearer a.b.c", "x" * 9000])
async def test_bearer__none_or_unreadable__is_unauthenticated(
    auth: Auth, method: str, path: str, header: str | None
) -> None:
    body = {"current_password": "violet-anvil-42", "new_password": "violet-anvil-43"}
    headers = {"authorization": header} if header is not None else {}

    answer = await auth.call(method, path, headers=headers, json=body if "password" in path else None)

    assert (answer.status, answer.code) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def test_bearer__token_in_the_query__is_unauthenticated(auth: Auth) -> None:
    token = (await auth.register())["access_token"]
    assert (await auth.get(f"/v1/auth/sessions?token={token}&access_token={token}")).status == 401


async def test_bearer__signed_by_an_unknown_key__is_unauthenticated(auth: Auth, token_maker: TokenMaker) -> None:
    tokens = await auth.register()
    forged = token_maker.mint(tokens["user"]["id"], tokens["session_id"])
    assert (await auth.get("/v1/auth/sessions", token=forged)).code == "unauthenticated"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_bearer__another_algorithm_with_our_kid__is_unauthenticated(auth: Auth, algorithm: str) -> None:
    tokens = await auth.register()
    good = tokens["access_token"]
    claims = jwt.decode(good, options={"verify_signature": False})
    key = auth.services.keyring.public_jwks()[0]["x"] if algorithm == "HS256" else ""
    forged = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": jwt.get_unverified_header(good)["kid"]})

    assert (await auth.get("/v1/auth/sessions", token=forged)).code == "unauthenticated"


async def test_bearer__expired__says_so(auth: Auth) -> None:
    tokens = await auth.register()
    long_ago = utc_now().fromtimestamp(time.time() - 1000, tz=utc_now().tzinfo)
    expired = auth.services.keyring.mint(tokens["user"]["id"], tokens["session_id"], long_ago)
    assert (await auth.get("/v1/auth/sessions", token=expired)).code == "token_expired"


async def test_delete__session_of_another__is_not_found_and_goes_on(auth: Auth) -> None:
    mine, theirs = await auth.register(), await auth.register()

    answer = await auth.call("DELETE", f"/v1/auth/sessions/{theirs['session_id']}", token=mine["access_token"])

    assert (answer.status, answer.code) == (404, "not_found")
    assert (await auth.get("/v1/auth/sessions", token=theirs["access_token"])).status == 200


async def test_delete__session_that_never_was__is_not_found(auth: Auth) -> None:
    token = (await auth.register())["access_token"]
    assert (await auth.call("DELETE", f"/v1/auth/sessions/{new_id()}", token=token)).status == 404


async def test_delete__not_an_id__is_invalid(auth: Auth) -> None:
    token = (await auth.register())["access_token"]
    answer = await auth.call("DELETE", "/v1/auth/sessions/not-an-id", token=token)
    assert (answer.status, answer.code) == (422, "invalid")


async def test_delete__own_other_session_twice__ends_it_and_answers_alike(auth: Auth) -> None:
    mine = await auth.register()
    other = (await auth.login(mine["user"]["username"])).body
    path = f"/v1/auth/sessions/{other['session_id'].upper()}"

    first = await auth.call("DELETE", path, token=mine["access_token"])
    again = await auth.call("DELETE", path, token=mine["access_token"])

    assert (first.status, again.status, first.body) == (204, 204, None)
    assert (await auth.get("/v1/auth/sessions", token=other["access_token"])).code == "unauthenticated"
    assert (await auth.get("/v1/auth/sessions", token=mine["access_token"])).status == 200


async def test_logout__its_token__is_refused_at_once_by_every_process(auth: Auth, start_auth: Start) -> None:
    tokens = await auth.register()
    async with start_auth(beside=auth) as second:
        assert (await second.get("/v1/auth/sessions", token=tokens["access_token"])).status == 200

        assert (await auth.post("/v1/auth/logout", token=tokens["access_token"])).status == 204

        for process in (auth, second):
            refused = await process.get("/v1/auth/sessions", token=tokens["access_token"])
            assert (refused.status, refused.code) == (401, "unauthenticated")


async def test_list__several_sessions__are_own_live_ones_newest_first(auth: Auth) -> None:
    name = new_name()
    first = await auth.register(name, device_name="phone")
    second = (await auth.login(name, device_name="laptop")).body
    ended = (await auth.login(name)).body
    await auth.post("/v1/auth/logout", token=ended["access_token"])
    await auth.register()

    answer = await auth.get("/v1/auth/sessions", token=first["access_token"])

    shown = [(s["session_id"], s["device_name"], s["current"]) for s in answer.body["items"]]
    assert shown == [(second["session_id"], "laptop", False), (first["session_id"], "phone", True)]
    assert answer.body["next_cursor"] is None
    assert answer.body["items"][0]["created_at"].endswith("Z")


async def test_list__in_pages_while_others_come__skips_and_repeats_nothing(auth: Auth) -> None:
    name = new_name()
    token = (await auth.register(name))["access_token"]
    made = [(await auth.login(name)).body["session_id"] for _ in range(6)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        suffix = f"&cursor={cursor}" if cursor else ""
        page: dict[str, Any] = (await auth.get(f"/v1/auth/sessions?limit=3{suffix}", token=token)).body
        seen += [item["session_id"] for item in page["items"]]
        cursor = page["next_cursor"]
        await auth.login(name)

    assert len(seen) == len(set(seen))
    assert set(made) <= set(seen)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x"])
async def test_list__limit_out_of_bounds__is_invalid(auth: Auth, query: str) -> None:
    token = (await auth.register())["access_token"]
    assert (await auth.get(f"/v1/auth/sessions?{query}", token=token)).code == "invalid"


@pytest.mark.parametrize("cursor", ["nonsense", "e30", "%00", "bnVsbA", "x" * 3000])
async def test_list__cursor_of_nobody__is_a_bad_cursor(auth: Auth, cursor: str) -> None:
    token = (await auth.register())["access_token"]
    answer = await auth.get(f"/v1/auth/sessions?cursor={cursor}", token=token)
    assert (answer.status, answer.code) == (400, "bad_cursor")
