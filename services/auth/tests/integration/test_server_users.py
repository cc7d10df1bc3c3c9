"""`/v1/server/users`: a host app's backend makes, changes and ends users by its own names for them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio
from synctalk_auth.actions import profiles, server_users
from synctalk_contracts.envelope import Envelope, Event, write_envelopes
from synctalk_contracts.events.users import ErasureCompleted, UserUpdated
from synctalk_contracts.models import EraseMode, Scope, User
from synctalk_contracts.topology import EVENTS_EXCHANGE
from synctalk_runtime.bus import Bus
from synctalk_runtime.directory import Directory
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.ids import new_id, utc_now
from synctalk_runtime.internal import Credential, InternalClient
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import Response
from synctalk_testkit.service import SECRET

from services.auth.tests.harness import Auth, Start, new_name
from services.auth.tests.host import serve_host

PATH = "/v1/server/users"
FIELDS = {
    "id", "username", "display_name", "avatar_url", "is_bot", "is_guest", "metadata",
    "external_id", "private_metadata", "deactivated_at", "erased_at",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def key(auth: Auth) -> AsyncIterator[str]:
    _, key = await auth.services.server_keys.create("users", [Scope.USERS, Scope.TOKENS], None, by=None)
    yield key


async def call(auth: Auth, key: str | None, method: str, name: str, body: Any = None, **options: Any) -> Response:
    return await auth.call(method, f"{PATH}/{quote(name, safe='')}", body, token=key, **options)


async def put(auth: Auth, key: str, name: str, **fields: Any) -> Response:
    return await call(auth, key, "PUT", name, fields)


async def sign_in(auth: Auth, key: str, name: str) -> Response:
    return await auth.post(f"{PATH}/{quote(name, safe='')}/token", token=key)


async def made(auth: Auth, key: str, name: str, **fields: Any) -> dict[str, Any]:
    answer = await put(auth, key, name, **({"display_name": "Ada"} | fields))
    assert answer.status == 201, answer
    user: dict[str, Any] = answer.body
    return user


async def publish(auth: Auth, event: Event) -> None:
    """Publish an event as api does."""
    bus = Bus(auth.settings.rabbitmq_url, "api-1")
    await bus.start()

    async def published() -> bool:
        try:
            await bus.publish(EVENTS_EXCHANGE, event.type_name(), write_envelopes([envelope]))
        except UnavailableError:
            return False
        return True

    envelope = Envelope(id=new_id(), type=event.type_name(), time=utc_now(), payload=event.model_dump(mode="json"))
    await eventually(published)
    await bus.stop()


async def test_users__without_the_scope_or_a_server_key__are_refused(auth: Auth, key: str) -> None:
    name = new_name()
    await made(auth, key, name)
    _, other = await auth.services.server_keys.create(
        "other", [scope for scope in Scope if scope not in (Scope.USERS, Scope.TOKENS)], None, by=None
    )
    registered = (await auth.register())["access_token"]
    guest = (await auth.post("/v1/auth/guest", {})).body["access_token"]
    calls = [(method, name, "users") for method in ("PUT", "GET", "DELETE")] + [("POST", f"{name}/token", "tokens")]
    for method, path, scope in calls:
        body = {"display_name": "Eve"} if method == "PUT" else None
        answer = await auth.call(method, f"{PATH}/{path}", body, token=other)
        assert (answer.status, answer.body["error"]["details"]) == (403, {"scope": scope})
        for token, code in ((registered, "forbidden"), (guest, "forbidden"), ("x", "unauthenticated")):
            assert (await auth.call(method, f"{PATH}/{path}", body, token=token)).code == code
        acting = {"x-synctalk-user": f"external:{name}"}
        assert (await auth.call(method, f"{PATH}/{path}", body, token=key, headers=acting)).code == "forbidden"
    batch = {"users": [{"external_id": name, "display_name": "Eve"}]}
    assert (await auth.post(PATH, batch, token=other)).body["error"]["details"] == {"scope": "users"}
    assert (await call(auth, key, "GET", name)).body["display_name"] == "Ada"


async def test_put__new__is_made_with_all_that_server_keys_see(auth: Auth, key: str) -> None:
    name = f"Straße/42:{new_name()}"
    user = await made(
        auth, key, name, display_name="Ada L.", avatar_url="https://example.org/a.png",
        metadata={"plan": "pro"}, private_metadata={"crm": 7},
    )  # fmt: skip

    assert set(user) == FIELDS
    assert (user["external_id"], user["metadata"], user["private_metadata"]) == (name, {"plan": "pro"}, {"crm": 7})
    assert user["username"].startswith("ada-l")
    assert (await call(auth, key, "GET", name)).body == user
    shown = auth.api.introduced[user["id"]]
    assert shown.metadata == {"plan": "pro"}
    assert "crm" not in shown.model_dump_json()


async def test_put__thirty_at_once__make_one_user(auth: Auth, key: str) -> None:
    name = new_name()
    answers = await asyncio.gather(*(put(auth, key, name, display_name=f"At once {n}") for n in range(30)))

    assert sorted(answer.status for answer in answers) == [200] * 29 + [201]
    assert len({answer.body["id"] for answer in answers}) == 1
    rows = await auth.sql("select count(*) from users where display_name like 'At once%'")
    assert rows[0][0] == 1


async def test_put__again__changes_what_is_given_and_keeps_the_rest(auth: Auth, key: str) -> None:
    name = new_name()
    before = await made(auth, key, name, avatar_url="https://example.org/a.png", metadata={"a": 1, "b": 2})

    answer = await put(auth, key, name, metadata={"b": 3})
    assert (answer.status, answer.body) == (200, before | {"metadata": {"b": 3}})
    assert auth.api.given[-1].metadata == {"b": 3}
    answer = await put(auth, key, name, display_name="Ada L.", avatar_url=None)
    assert answer.body == before | {"metadata": {"b": 3}, "display_name": "Ada L.", "avatar_url": None}
    assert (auth.api.given[-1].display_name, auth.api.given[-1].avatar_removed) == ("Ada L.", True)
    assert (await call(auth, key, "GET", name)).body == answer.body


async def test_put__the_same_again__notifies_nobody(auth: Auth, key: str) -> None:
    name = new_name()
    first = await made(auth, key, name, metadata={"a": 1})
    given = len(auth.api.given)
    assert (await put(auth, key, name, display_name="Ada", metadata={"a": 1})).body == first
    assert (await put(auth, key, name)).body == first
    assert len(auth.api.given) == given


async def test_put__new_without_a_name__is_invalid(auth: Auth, key: str) -> None:
    answer = await put(auth, key, new_name())
    assert (answer.status, answer.fields) == (422, {"display_name"})


async def test_put__username_of_another__is_taken_and_adopts_nobody(auth: Auth, key: str) -> None:
    other = (await auth.register())["user"]
    name, own = new_name(), new_name()
    for username in (other["username"].upper(), "guest-0123456789", "deleted-x"):
        assert (await put(auth, key, name, display_name="Eve", username=username)).code == "username_taken"
    assert (await call(auth, key, "GET", name)).status == 404

    user = await made(auth, key, name, username=own.upper())
    assert (user["username"], user["id"] != other["id"]) == (own, True)
    assert (await put(auth, key, name, username=other["username"])).code == "username_taken"
    renamed = await put(auth, key, name, username=f"{own}-2")
    assert (renamed.status, renamed.body["username"]) == (200, f"{own}-2")
    assert auth.api.given[-1].username == f"{own}-2"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("display_name", ""), ("display_name", "x" * 65), ("display_name", 1), ("avatar_url", "http://example.org/a"),
        ("username", "a b"), ("metadata", []), ("metadata", {"a": "x" * 4100}), ("metadata", {"a": "\0"}),
        ("metadata", {"\0": 1}), ("metadata", {"a": 2**64}), ("private_metadata", {"a": "x" * 4100}), ("more", 1),
        ("external_id", "other"), ("is_bot", True),
    ],
)  # fmt: skip
async def test_put__wrong_field__is_invalid(auth: Auth, key: str, field: str, value: Any) -> None:
    answer = await put(auth, key, new_name(), **({"display_name": "Ada"} | {field: value}))
    assert (answer.status, answer.fields) == (422, {field})


@pytest.mark.parametrize("path", ["a%20b", "%00", "x" * 256, "%e2%80%8b", "%ff", "%0a", ""])
async def test_put__what_can_be_no_external_id__is_invalid(auth: Auth, key: str, path: str) -> None:
    answer = await auth.call("PUT", f"{PATH}/{path}", {"display_name": "Ada"}, token=key)
    assert (answer.status, answer.fields) == (422, {"external_id"})


async def test_put__composed_and_decomposed__are_one_user_and_case_is_kept_apart(auth: Auth, key: str) -> None:
    name = new_name()
    user = await made(auth, key, f"{name}é")
    assert (await put(auth, key, f"{name}e\u0301")).body["id"] == user["id"]
    assert (await made(auth, key, f"{name}É"))["id"] != user["id"]


async def test_batch__each_has_its_own_outcome_in_order(auth: Auth, key: str) -> None:
    one, two, three, taken = new_name(), new_name(), new_name(), (await auth.register())["user"]["username"]
    users: list[dict[str, Any]] = [
        {"external_id": one, "display_name": "One", "metadata": {"n": 1}},
        {"external_id": two},
        {"external_id": three, "display_name": "Three", "username": taken},
        {"external_id": three, "display_name": "x" * 65, "admin": True},
        {"external_id": one, "display_name": "Uno"},
    ]
    answer = await auth.post(PATH, {"users": users}, token=key)

    assert answer.status == 200
    items = answer.body["items"]
    assert [item["external_id"] for item in items] == [user["external_id"] for user in users]
    codes = [item["error"]["code"] if "error" in item else None for item in items]
    assert codes == [None, "invalid", "username_taken", "invalid", None]
    assert {detail["field"] for detail in items[3]["error"]["details"]} == {"display_name", "admin"}
    assert (items[4]["user"]["id"], items[4]["user"]["display_name"]) == (items[0]["user"]["id"], "Uno")
    assert set(items[0]["user"]) == FIELDS


async def test_batch__of_a_hundred__is_made_and_of_other_sizes_or_without_names__is_invalid(
    auth: Auth, key: str
) -> None:
    names = [new_name() for _ in range(101)]
    users = [{"external_id": name, "display_name": "Ada"} for name in names]
    answer = await auth.post(PATH, {"users": users[:100]}, token=key)
    assert len({item["user"]["id"] for item in answer.body["items"]}) == 100
    for wrong in ([], users, [{"display_name": "Ada"}], [{"external_id": "a b"}], ["ada"], None):
        assert (await auth.post(PATH, {"users": wrong}, token=key)).status == 422


async def test_batch__while_api_hangs__is_answered_all_the_same(start_auth: Start) -> None:
    async with start_auth() as auth:
        _, key = await auth.services.server_keys.create("users", [Scope.USERS], None, by=None)
        auth.api.hangs = True
        users = [{"external_id": f"u{n}", "display_name": "Ada"} for n in range(100)]
        async with asyncio.timeout(6):
            assert (await auth.post(PATH, {"users": users}, token=key)).status == 200


async def test_token__is_a_session_of_the_user_without_what_only_keys_see(auth: Auth, key: str) -> None:
    name = new_name()
    user = await made(auth, key, name, metadata={"a": 1}, private_metadata={"b": 2})
    answer = await sign_in(auth, key, name)

    assert answer.status == 200
    assert answer.body["user"] == {field: user[field] for field in User.model_fields}
    sessions = await auth.get("/v1/auth/sessions", token=answer.body["access_token"])
    assert [session["session_id"] for session in sessions.body["items"]] == [answer.body["session_id"]]
    assert (await auth.refresh(answer.body["refresh_token"])).status == 200


async def test_token__of_nobody_or_of_a_user_without_external_id__is_not_found(auth: Auth, key: str) -> None:
    registered = (await auth.register())["user"]
    bot, _ = await auth.services.bots.create(new_name(), "Helper")
    for name in (new_name(), registered["id"], registered["username"], bot.id, bot.username):
        assert (await sign_in(auth, key, name)).status == 404


async def test_get_and_delete__of_nobody__are_not_found(auth: Auth, key: str) -> None:
    registered = (await auth.register())["user"]
    for name in (new_name(), registered["id"], registered["username"]):
        assert (await call(auth, key, "GET", name)).status == 404
        assert (await call(auth, key, "DELETE", name)).status == 404


async def test_delete__ends_sessions_and_sign_in_until_put_brings_the_user_back(auth: Auth, key: str) -> None:
    name = new_name()
    user = await made(auth, key, name)
    tokens = (await sign_in(auth, key, name)).body

    for _ in range(2):
        assert (await call(auth, key, "DELETE", name)).status == 204

    assert (await auth.get("/v1/auth/sessions", token=tokens["access_token"])).code == "unauthenticated"
    assert (await auth.refresh(tokens["refresh_token"])).code == "invalid_refresh_token"
    assert (await sign_in(auth, key, name)).code == "forbidden"
    shown = (await call(auth, key, "GET", name)).body
    assert shown["deactivated_at"] is not None
    assert shown | {"deactivated_at": None} == user

    back = await put(auth, key, name)
    assert (back.status, back.body) == (200, user)
    assert (await sign_in(auth, key, name)).status == 200
    assert (await auth.refresh(tokens["refresh_token"])).code == "invalid_refresh_token"


@pytest.mark.parametrize("mode", EraseMode)
async def test_erase__then_put__makes_a_new_user(auth: Auth, key: str, mode: EraseMode) -> None:
    name = new_name()
    user = await made(auth, key, name)
    for _ in range(2):
        assert (await call(auth, key, "DELETE", name, params={"erase": mode})).status == 204
    erased = (await call(auth, key, "GET", name)).body
    assert (erased["id"], erased["external_id"], erased["erased_at"]) == (user["id"], None, None)
    assert (await sign_in(auth, key, name)).code == "forbidden"

    again = await made(auth, key, name)

    assert again["id"] != user["id"]
    assert (await call(auth, key, "GET", name)).body == again
    assert (await sign_in(auth, key, name)).body["user"]["id"] == again["id"]


async def test_erase__author__leaves_nothing_that_names_the_user(auth: Auth, key: str) -> None:
    name = new_name()
    user = await made(
        auth, key, name, display_name="Ada Lovelace", avatar_url="https://example.org/ada.png",
        metadata={"a": "Ada"}, private_metadata={"b": "Ada"},
    )  # fmt: skip
    await call(auth, key, "DELETE", name, params={"erase": "author"})
    late = User(id=user["id"], username=user["username"], display_name="Ada Lovelace", avatar_url=None)

    await profiles.follow(auth.services.postgres, [UserUpdated(user=late)])

    shown = (await call(auth, key, "GET", name)).body
    assert shown["username"].startswith("deleted-")
    assert (shown["display_name"], shown["avatar_url"]) == ("Deleted user", None)
    assert (shown["metadata"], shown["private_metadata"]) == ({}, {})
    rows = await auth.sql("select u::text from users u where id = $1::text::uuid", user["id"])
    former = await auth.sql("select * from external_ids where external_id = $1", name)
    assert "Ada" not in rows[0][0]
    assert former == []


async def test_erase__both__is_done_when_api_has_done_both(auth: Auth, key: str) -> None:
    name = new_name()
    user = await made(auth, key, name)
    for mode in EraseMode:
        await call(auth, key, "DELETE", name, params={"erase": mode})

    async def erased_at() -> Any:
        return (await call(auth, key, "GET", name)).body["erased_at"]

    done = [ErasureCompleted(user_id=user["id"], mode=mode) for mode in EraseMode]
    await server_users.finish_erasures(auth.services.postgres, done[:1])
    assert await erased_at() is None
    await publish(auth, done[1])

    async def is_erased() -> bool:
        return await erased_at() is not None

    await eventually(is_erased)


async def test_erase__unknown_mode__is_invalid_and_ends_nobody(auth: Auth, key: str) -> None:
    name = new_name()
    await made(auth, key, name)
    answer = await call(auth, key, "DELETE", name, params={"erase": "everything"})
    assert (answer.status, answer.fields) == (422, {"erase"})
    assert (await sign_in(auth, key, name)).status == 200


async def test_delete__during_twenty_sign_ins__leaves_no_living_session(auth: Auth, key: str) -> None:
    name = new_name()
    await made(auth, key, name)
    answers = await asyncio.gather(
        *(sign_in(auth, key, name) for _ in range(10)),
        call(auth, key, "DELETE", name),
        *(sign_in(auth, key, name) for _ in range(10)),
    )
    opened = [answer.body["access_token"] for answer in answers if answer.status == 200]
    assert {answer.status for answer in answers} <= {200, 204, 403}
    for token in opened:
        assert (await auth.get("/v1/auth/sessions", token=token)).code == "unauthenticated"


async def test_host_token__of_a_user_who_was_ended_or_erased__does_not_come_back(start_auth: Start) -> None:
    async with serve_host() as host, start_auth(trusted_issuers=[host.setting()]) as auth:
        _, key = await auth.services.server_keys.create("users", [Scope.USERS], None, by=None)
        user = (await auth.post("/v1/auth/exchange", {"token": host.sign()})).body["user"]
        assert (await call(auth, key, "GET", "42")).body["id"] == user["id"]
        for params in ({}, {"erase": "messages"}, {"erase": "author"}):
            await call(auth, key, "DELETE", "42", params=params)
            assert (await auth.post("/v1/auth/exchange", {"token": host.sign()})).code == "forbidden"
        again = await made(auth, key, "42")
        assert (await auth.post("/v1/auth/exchange", {"token": host.sign()})).body["user"]["id"] == again["id"]


async def test_directory__knows_users_by_both_names_at_once(auth: Auth, key: str) -> None:
    name = new_name()
    user = await made(auth, key, name, private_metadata={"a": 1})
    client = InternalClient(auth.url, Credential("api", SECRET), timeout_s=2)
    directory = Directory(client)

    assert (await directory.by_external_ids([name, "nobody"]))[name].model_dump(mode="json") == user
    assert (await directory.by_ids([user["id"]]))[user["id"]].external_id == name
    assert await directory.by_ids([]) == {}
    await client.close()
    assert (await auth.post("/internal/directory", {"ids": [user["id"]]}, token=key)).status == 404
