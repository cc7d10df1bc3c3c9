"""`/internal`: for other services only."""

from typing import Any

import asyncpg
import pytest
from synctalk_runtime.ids import new_id

from services.auth.tests.harness import Auth


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/internal/revocations"), ("GET", "/internal/revocations/changes"), ("POST", "/internal/users")],
)
@pytest.mark.parametrize("secret", [None, "", "another secret altogether"])
async def test_internal__without_the_secret__is_not_found(
    auth: Auth, method: str, path: str, secret: str | None
) -> None:
    headers = {"x-synctalk-internal": secret} if secret is not None else {}
    answer = await auth.call(method, path, headers=headers, json={"ids": []})
    assert (answer.status, answer.code) == (404, "not_found")


async def test_internal__with_a_users_token_only__is_not_found(auth: Auth) -> None:
    token = (await auth.register())["access_token"]
    assert (await auth.get("/internal/revocations", token=token)).status == 404


async def test_revocations__ended_long_ago__is_left_out(auth: Auth) -> None:
    tokens = await auth.register()
    await auth.post("/v1/auth/logout", token=tokens["access_token"])
    await auth.sql(
        "update sessions set revoked_at = now() - interval '17 minutes' where id = $1::text::uuid", tokens["session_id"]
    )

    answer = await auth.internal("GET", "/internal/revocations")

    assert tokens["session_id"] not in [event["session_id"] for event in answer.body]


async def test_revocations__just_ended__is_listed_until_no_token_can_live(auth: Auth) -> None:
    tokens = await auth.register()
    await auth.post("/v1/auth/logout", token=tokens["access_token"])

    answer = await auth.internal("GET", "/internal/revocations")

    [event] = [event for event in answer.body if event["session_id"] == tokens["session_id"]]
    assert (event["user_id"], event["reason"]) == (tokens["user"]["id"], "logged_out")
    assert event["deny_until"].endswith("Z")


async def test_users__known_and_unknown__are_the_known(auth: Auth) -> None:
    one, other = (await auth.register())["user"], (await auth.register())["user"]

    answer = await auth.internal("POST", "/internal/users", json={"ids": [one["id"], new_id(), other["id"].upper()]})

    assert sorted(answer.body["items"], key=lambda user: user["id"]) == sorted(
        [one, other], key=lambda user: user["id"]
    )


async def test_users__none_asked__is_empty(auth: Auth) -> None:
    assert (await auth.internal("POST", "/internal/users", json={"ids": []})).body == {"items": []}


async def changes(auth: Auth, cursor: str | None = None) -> tuple[list[str], str]:
    """The sessions of a page, and the next cursor."""
    answer = await auth.internal("GET", "/internal/revocations/changes", params={"cursor": cursor} if cursor else {})
    assert answer.status == 200, answer
    return [event["session_id"] for event in answer.body["items"]], answer.body["cursor"]


async def test_changes__without_a_cursor__are_all_that_matter(auth: Auth) -> None:
    old, new = await auth.register(), await auth.register()
    for tokens in (old, new):
        await auth.post("/v1/auth/logout", token=tokens["access_token"])
    await _age(auth, old, "17 minutes")

    ended, _ = await changes(auth)

    assert new["session_id"] in ended
    assert old["session_id"] not in ended


async def test_changes__since_a_page__are_the_new_ones_and_no_older(auth: Auth) -> None:
    old, new = await auth.register(), await auth.register()
    await auth.post("/v1/auth/logout", token=old["access_token"])
    await _age(auth, old, "2 minutes")
    _, cursor = await changes(auth)
    await auth.post("/v1/auth/logout", token=new["access_token"])

    ended, _ = await changes(auth, cursor)

    assert new["session_id"] in ended
    assert old["session_id"] not in ended


async def test_changes__committed_after_a_page_that_began_before__are_in_the_next(auth: Auth) -> None:
    tokens = await auth.register()
    conn = await asyncpg.connect(auth.database_url)
    ending = conn.transaction()
    await ending.start()
    await conn.execute(
        "update sessions set revoked_at = now(), reason = 'revoked' where id = $1::text::uuid", tokens["session_id"]
    )
    seen, cursor = await changes(auth)
    assert tokens["session_id"] not in seen
    await ending.commit()
    await conn.close()

    ended, _ = await changes(auth, cursor)

    assert tokens["session_id"] in ended


@pytest.mark.parametrize("cursor", ["x", "e30", "IjIwMjYtMDEtMDFUMDA6MDA6MDAi"])
async def test_changes__a_cursor_that_is_none__is_refused(auth: Auth, cursor: str) -> None:
    answer = await auth.internal("GET", "/internal/revocations/changes", params={"cursor": cursor})

    assert (answer.status, answer.code) == (400, "bad_cursor")


async def _age(auth: Auth, tokens: dict[str, Any], by: str) -> None:
    await auth.sql(
        "update sessions set revoked_at = now() - $2::text::interval where id = $1::text::uuid",
        tokens["session_id"],
        by,
    )
