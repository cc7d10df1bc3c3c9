"""The built-in bot: known by its id, and nobody's to use, change or end."""

from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.models import Scope

from services.auth.tests.harness import Auth, new_name


async def test_system_user__is_known_to_other_services(auth: Auth) -> None:
    (user,) = (await auth.internal("POST", "/internal/users", {"ids": [SYSTEM_USER_ID]})).body["items"]
    assert (user["username"], user["display_name"], user["is_bot"]) == ("system", "System", True)


async def test_system_user__is_no_bot_of_a_host_app(auth: Auth) -> None:
    _, key = await auth.services.server_keys.create("bots", list(Scope), None, by=None)
    listed = (await auth.get("/v1/server/bots?limit=100", token=key)).body["items"]
    assert SYSTEM_USER_ID not in [bot["id"] for bot in listed]
    for method, path in (("POST", "/token"), ("DELETE", "")):
        answer = await auth.call(method, f"/v1/server/bots/{SYSTEM_USER_ID}{path}", token=key)
        assert answer.status == 404, answer
    assert await auth.services.server_keys.user_of(SYSTEM_USER_ID) is None


async def test_its_name__is_nobody_elses(auth: Auth) -> None:
    _, key = await auth.services.server_keys.create("users", list(Scope), None, by=None)
    taken = await auth.post("/v1/server/bots", {"username": "system", "display_name": "Mine"}, token=key)
    assert (taken.status, taken.code) == (409, "username_taken")
    path = f"/v1/server/users/{new_name()}"
    put = await auth.call("PUT", path, {"display_name": "Mine", "username": "System"}, token=key)
    assert (put.status, put.code) == (409, "username_taken")
    named = await auth.call("PUT", path, {"display_name": "System"}, token=key)
    assert named.status == 201
    assert named.body["username"] != "system"
