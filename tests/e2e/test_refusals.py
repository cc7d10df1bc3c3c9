"""What is wrong by REST is refused in the one error shape, by every service, and never with a stack trace."""

from typing import Any

import pytest
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import User, Users
from synctalk_testkit.http import request

UNKNOWN = "01890000-0000-7000-8000-000000000000"

BODIES = [
    ("POST", "/v1/auth/login"),
    ("POST", "/v1/auth/register"),
    ("PATCH", "/v1/users/me"),
    ("POST", "/v1/conversations"),
    ("POST", "/v1/sync"),
    ("PUT", "/v1/presence/me"),
    ("PUT", "/v1/devices/phone"),
    ("PUT", f"/v1/notification-settings/{UNKNOWN}"),
]
"""A call with a body, of each service."""

NOT_OBJECTS = [b"", b"{", b"not json", b"[]", b'"text"', b"7", b"null", b"\xff\xfe", b"[" * 100_000]


def expect(answer: Any, status: int, *codes: str) -> None:
    """The status, and the error body with one of these codes and nothing beside it."""
    assert answer.status == status, answer
    assert answer.body.keys() == {"error"}, answer
    assert answer.body["error"].keys() <= {"code", "message", "details", "retry_after"}, answer
    assert answer.code in codes, answer
    assert isinstance(answer.body["error"]["message"], str)
    assert "Traceback" not in str(answer.body)


async def send_raw(user: User, method: str, path: str, body: bytes) -> Any:
    return await user.request(method, path, data=body, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(("method", "path"), BODIES)
async def test_body__that_is_no_json_object__is_malformed(users: Users, method: str, path: str) -> None:
    ada = await users.register()
    for body in NOT_OBJECTS:
        expect(await send_raw(ada, method, path, body), 400, "malformed")


async def test_numbers__that_json_does_not_know__are_refused(users: Users) -> None:
    ada = await users.register()
    for value in ("NaN", "Infinity", "-Infinity"):
        answer = await send_raw(ada, "POST", "/v1/sync", f'{{"cursors": {{"{UNKNOWN}": {value}}}}}'.encode())
        expect(answer, answer.status, "malformed", "invalid")


@pytest.mark.parametrize(("method", "path"), BODIES)
async def test_body__over_its_bound__is_too_large(users: Users, method: str, path: str) -> None:
    ada = await users.register()

    expect(await send_raw(ada, method, path, b'{"a": "' + b"x" * 300_000 + b'"}'), 413, "too_large")


@pytest.mark.parametrize(("method", "path"), BODIES)
async def test_body__with_an_unknown_field__is_invalid_and_says_which(users: Users, method: str, path: str) -> None:
    ada = await users.register()
    answer = await ada.request(method, path, json={"no_such_field": 1})

    expect(answer, 422, "invalid")
    assert "no_such_field" in {detail["field"] for detail in answer.body["error"]["details"]}
    assert all(detail.keys() == {"field", "message"} for detail in answer.body["error"]["details"])


@pytest.mark.parametrize(
    "value", ['"\\u0000"', '"a\\u0000b"', '"\\ud800"', '"\\udc00x"', "1", "true", "null", "[]", "{}", "1e999", "-1"]
)
async def test_text__that_cannot_be_kept_or_is_none__is_invalid(users: Users, value: str) -> None:
    ada = await users.register()
    group = (await ada.group_with())["id"]
    for method, path, template in (
        ("POST", f"/v1/conversations/{group}/messages", '{"client_message_id": "a", "body": %s}'),
        ("PATCH", f"/v1/conversations/{group}", '{"title": %s}'),
        ("PATCH", "/v1/users/me", '{"display_name": %s}'),
        ("POST", "/v1/auth/login", '{"username": "ada", "password": %s}'),
        ("PUT", "/v1/devices/phone", '{"platform": "web", "token": %s}'),
        ("PUT", "/v1/presence/me", '{"status": %s}'),
    ):
        expect(await send_raw(ada, method, path, (template % value).encode()), 422, "invalid")
    assert (await ada.get(f"/v1/conversations/{group}"))["last_seq"] == 0


async def test_numbers__of_another_kind__are_invalid(users: Users) -> None:
    ada = await users.register()
    group = (await ada.group_with())["id"]
    for value in ("-1", "1.5", '"1"', "true", "null", str(2**63), str(2**200), "[1]"):
        answer = await send_raw(ada, "POST", f"/v1/conversations/{group}/read", f'{{"seq": {value}}}'.encode())
        expect(answer, 422, "invalid")
        answer = await send_raw(ada, "POST", "/v1/sync", f'{{"cursors": {{"{group}": {value}}}}}'.encode())
        expect(answer, 422, "invalid")


async def test_query__out_of_its_bounds__is_invalid_and_a_strange_cursor_is_bad(users: Users) -> None:
    ada = await users.register()
    group = (await ada.group_with())["id"]
    for path in ("/v1/conversations", "/v1/users?search=a", f"/v1/conversations/{group}/members"):
        sign = "&" if "?" in path else "?"
        for limit in ("0", "101", "-1", "x", "1e1", str(2**70)):
            expect(await ada.request("GET", f"{path}{sign}limit={limit}"), 422, "invalid")
        for cursor in ("x", "%00", "A" * 200, "e30"):
            expect(await ada.request("GET", f"{path}{sign}cursor={cursor}"), 400, "bad_cursor")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/nothing", "/v1", "/v1/", "/v1/auth", "/v1/auth/nothing", "/v1/presence/nothing", "/v1/devices/a/b",
        "/v1/conversations/x/y/z", "/v1/internal", "/internal/users/x", "/healthz", "/readyz", "/metrics",
        "/openapi.json", "/v1/users/%ff",
    ],
)  # fmt: skip
async def test_path__unknown_or_not_public__is_not_found(users: Users, path: str) -> None:
    ada = await users.register()
    answer = await ada.request("GET", path)

    assert answer.status in (404, 422), answer
    expect(answer, answer.status, "not_found", "invalid")


async def test_path__that_cannot_be_read__is_refused_in_the_one_shape(users: Users) -> None:
    ada = await users.register()

    expect(await ada.request("GET", "/v1/conversations/%00"), 400, "malformed")
    expect(await ada.request("GET", "/v1/" + "x" * 40_000), 413, "too_large")
    expect(await ada.request("GET", "/v1/users/me", headers={"X-Long": "x" * 40_000}), 400, "malformed")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v1/users/me"),
        ("PUT", "/v1/conversations"),
        ("GET", "/v1/auth/login"),
        ("POST", "/v1/presence"),
        ("POST", "/v1/devices"),
        ("POST", "/.well-known/jwks.json"),
    ],
)
async def test_method__that_is_not_there__is_not_allowed(users: Users, method: str, path: str) -> None:
    ada = await users.register()

    expect(await ada.request(method, path), 405, "method_not_allowed")


async def test_internal_header__from_outside__opens_nothing(users: Users, stack: RunningStack) -> None:
    ada = await users.register()
    for name in ("auth-1", "api-1", "presence-1"):
        url = f"{stack.internal_url(name)}/internal/users/{ada.id}"
        answer = await request(users.http, "GET", url, headers={"x-synctalk-internal": "guess"})
        assert answer.status in (401, 403, 404, 405), answer
        assert ada.username not in str(answer.body)


async def test_names__that_lie_or_do_not_fit__are_invalid(users: Users) -> None:
    ada = await users.register()
    for name in ("", "  ", "x" * 65, "a\u202eb", "a\u0007"):
        expect(await ada.request("PATCH", "/v1/users/me", json={"display_name": name}), 422, "invalid")
    assert (await ada.patch("/v1/users/me", {"display_name": "Ada \U0001f44b"}))["display_name"] == "Ada \U0001f44b"
    for title in ("", "x" * 129):
        body = {"type": "group", "title": title, "member_ids": []}
        expect(await ada.request("POST", "/v1/conversations", json=body), 422, "invalid")
    for username in ("ab", "x" * 33, "a b", "é-name", "a/b"):
        body = {"username": username, "password": "a good long password"}
        expect(await ada.request("POST", "/v1/auth/register", json=body), 422, "invalid")
    for password in ("short", "x" * 257, "password123"):
        body = {"username": "somebody-new", "password": password}
        expect(await ada.request("POST", "/v1/auth/register", json=body), 422, "invalid")
