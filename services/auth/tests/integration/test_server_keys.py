"""`/v1/server/keys`, and how auth itself takes server keys."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from synctalk_contracts.models import Scope

from services.auth.tests.harness import Auth, Start
from services.auth.tests.integration.test_process import command

PATH = "/v1/server/keys"
ALL = [scope.value for scope in Scope]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def root(auth: Auth) -> AsyncIterator[str]:
    """The first key, as the command line makes it: all scopes, no end."""
    _, key = await auth.services.server_keys.create("root", list(Scope), None, by=None)
    yield key


def in_an_hour(hours: float = 1) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).isoformat()


async def make(auth: Auth, by: str, scopes: list[str], **fields: Any) -> dict[str, Any]:
    answer = await auth.post(PATH, {"name": "a key", "scopes": scopes} | fields, token=by)
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.body
    return made


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PATH), ("POST", PATH), ("DELETE", f"{PATH}/01a00000-0000-7000-8000-000000000000")]
)
async def test_keys__without_a_server_key__are_refused(auth: Auth, method: str, path: str) -> None:
    user = (await auth.register())["access_token"]
    body = {"name": "mine", "scopes": ["keys"]}
    for token, status, code in (
        (None, 401, "unauthenticated"),
        ("stk_unknown", 401, "unauthenticated"),
        ("stk_" + "x" * 5000, 401, "unauthenticated"),
        ("garbage", 401, "unauthenticated"),
        (user, 403, "forbidden"),
    ):
        answer = await auth.call(method, path, body if method == "POST" else None, token=token)
        assert (answer.status, answer.code) == (status, code), token


async def test_keys__without_the_scope__are_forbidden_naming_it(auth: Auth, root: str) -> None:
    others = (await make(auth, root, [scope for scope in ALL if scope != "keys"]))["key"]
    answer = await auth.get(PATH, token=others)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert answer.body["error"]["details"] == {"scope": "keys"}


async def test_keys__in_a_query_string__are_refused(auth: Auth, root: str) -> None:
    for name in ("token", "access_token", "key", "authorization"):
        assert (await auth.get(PATH, params={name: root})).code == "unauthenticated"


async def test_keys__from_a_browser__are_forbidden(auth: Auth, root: str) -> None:
    answer = await auth.get(PATH, token=root, headers={"origin": "https://example.org"})
    assert (answer.status, answer.code) == (403, "forbidden")


async def test_keys__for_a_user__are_forbidden(auth: Auth, root: str) -> None:
    user = await auth.register()
    for path in (PATH, "/v1/auth/sessions"):
        answer = await auth.get(path, token=root, headers={"x-synctalk-user": user["user"]["id"]})
        assert (answer.status, answer.code) == (403, "forbidden")
    own = await auth.get("/v1/auth/sessions", token=user["access_token"], headers={"x-synctalk-user": "external:me"})
    assert (own.status, own.code) == (403, "forbidden")
    assert (await auth.get("/v1/auth/sessions", token=root)).status == 403


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("scopes.0", {"scopes": ["everything"]}),
        ("scopes", {"scopes": []}),
        ("scopes", {"scopes": ["keys"] * 20}),
        ("scopes", {"scopes": "keys"}),
        ("name", {"name": ""}),
        ("name", {"name": "x" * 129}),
        ("expires_at", {"expires_at": "2020-01-01T00:00:00Z"}),
        ("expires_at", {"expires_at": "2030-01-01T00:00:00"}),
        ("expires_at", {"expires_at": "soon"}),
        ("more", {"more": 1}),
    ],
)
async def test_make__wrong_field__is_invalid(auth: Auth, root: str, field: str, body: dict[str, Any]) -> None:
    answer = await auth.post(PATH, {"name": "a key", "scopes": ["users"]} | body, token=root)
    assert (answer.status, answer.fields) == (422, {field})


async def test_make__more_than_the_maker_may__is_forbidden(auth: Auth, root: str) -> None:
    maker = (await make(auth, root, ["keys", "users"], expires_at=in_an_hour()))["key"]

    for body in (
        {"scopes": ["users", "act"], "expires_at": in_an_hour(0.5)},
        {"scopes": ["users"], "expires_at": in_an_hour(2)},
        {"scopes": ["users"]},
    ):
        answer = await auth.post(PATH, {"name": "more"} | body, token=maker)
        assert (answer.status, answer.code) == (403, "forbidden")
    assert await make(auth, maker, ["users"], expires_at=in_an_hour(0.5))


async def test_make__as_many_as_may_be__is_a_conflict(start_auth: Start) -> None:
    async with start_auth(server_keys_max=3) as auth:
        _, key = await auth.services.server_keys.create("root", list(Scope), None, by=None)
        body = {"name": "another", "scopes": ["users"]}
        answers = await asyncio.gather(*(auth.post(PATH, body, token=key) for _ in range(5)))
        assert sorted(answer.status for answer in answers) == [201, 201, 409, 409, 409]


async def test_list__shows_no_key_and_when_it_was_used(auth: Auth, root: str) -> None:
    made = await make(auth, root, ["act", "users", "users"], name="worker")

    before = {key["id"]: key for key in (await auth.get(PATH, token=root)).body["items"]}[made["id"]]
    assert (await auth.get(PATH, token=made["key"])).status == 403
    answer = await auth.get(PATH, token=root)

    after = {key["id"]: key for key in answer.body["items"]}[made["id"]]
    assert set(after) == {"id", "name", "scopes", "created_at", "expires_at", "last_used_at"}
    assert (after["name"], after["scopes"], after["expires_at"]) == ("worker", ["act", "users"], None)
    assert before["last_used_at"] is None
    assert after["last_used_at"] is not None
    assert made["key"] not in str(answer.body)
    rows = await auth.sql("select * from server_keys where id = $1::text::uuid", made["id"])
    assert made["key"].removeprefix("stk_") not in str(rows)


async def test_revoke__ends_the_key_at_once_and_can_be_repeated(auth: Auth, root: str) -> None:
    made = await make(auth, root, ["keys"])
    assert (await auth.get(PATH, token=made["key"])).status == 200
    for _ in range(2):
        assert (await auth.call("DELETE", f"{PATH}/{made['id']}", token=root)).status == 204
    assert (await auth.get(PATH, token=made["key"])).code == "unauthenticated"


async def test_key__past_its_end__is_expired(auth: Auth, root: str) -> None:
    made = await make(auth, root, ["keys"], expires_at=in_an_hour())
    await auth.sql("update server_keys set expires_at = now() where id = $1::text::uuid", made["id"])
    answer = await auth.get(PATH, token=made["key"])
    assert (answer.status, answer.code) == (401, "token_expired")


async def test_keys_create__prints_a_key_that_works_and_nothing_else(auth: Auth) -> None:
    code, said = await command(
        "keys", "create", "--name", "from the shell", "--scopes", "keys users",
        DATABASE_URL=auth.database_url, LOG_LEVEL="info",
    )  # fmt: skip

    assert code == 0, said
    assert said.startswith("stk_")
    assert said.count("\n") == 1
    listed = (await auth.get(PATH, token=said.strip())).body["items"]
    assert [key["scopes"] for key in listed if key["name"] == "from the shell"] == [["keys", "users"]]


@pytest.mark.parametrize("args", [(), ("create",), ("create", "--name", "x", "--scopes", "all"), ("drop",)])
async def test_keys_create__wrong_arguments__end_with_a_sentence(args: tuple[str, ...]) -> None:
    code, said = await command("keys", *args, LOG_LEVEL="info")
    assert code == 2
    assert "usage: synctalk keys" in said
    assert "Traceback" not in said
