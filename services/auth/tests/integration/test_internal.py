"""`/internal`: for neighbours only."""

import pytest
from synctalk_runtime.ids import new_id

from services.auth.tests.integration.conftest import Auth


@pytest.mark.parametrize(("method", "path"), [("GET", "/internal/revocations"), ("POST", "/internal/users")])
@pytest.mark.parametrize("secret", [None, "", "another secret altogether"])
async def test_internal__without_the_secret__is_not_found(
    auth: Auth, method: str, path: str, secret: str | None
) -> None:
    headers = {"x-synctalk-internal": secret} if secret is not None else {}
    answer = await auth.call(method, path, headers=headers, json={"ids": []})
    assert (answer.status, answer.code) == (404, "not_found")


async def test_internal__with_a_persons_token_only__is_not_found(auth: Auth) -> None:
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


async def test_revocations__just_ended__is_told_until_no_token_can_live(auth: Auth) -> None:
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
