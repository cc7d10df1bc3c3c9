"""Whatever comes in: the one error shape, never a stack trace, and the service goes on."""

import json
from typing import Any

import pytest

from services.auth.tests.harness import PASSWORD, Auth, new_name

POSTS = ["/v1/auth/register", "/v1/auth/login", "/v1/auth/refresh"]
GOOD: dict[str, dict[str, Any]] = {
    "/v1/auth/register": {"username": "good-name", "password": PASSWORD},
    "/v1/auth/login": {"username": "good-name", "password": PASSWORD},
    "/v1/auth/refresh": {"refresh_token": "x" * 43},
}
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"text"', b"1", b"\xff\xfe", b"[" * 100_000, b"{'a': 1}", b"\x00"]
)
async def test_post__not_a_json_object__is_malformed(auth: Auth, path: str, body: bytes) -> None:
    answer = await auth.call("POST", path, data=body, headers=JSON)
    assert (answer.status, answer.code) == (400, "malformed")


@pytest.mark.parametrize("path", POSTS)
async def test_post__form_instead_of_json__is_malformed(auth: Auth, path: str) -> None:
    assert (await auth.call("POST", path, data=GOOD[path])).code == "malformed"


@pytest.mark.parametrize("path", POSTS)
async def test_post__unknown_field__is_invalid_and_named(auth: Auth, path: str) -> None:
    answer = await auth.post(path, GOOD[path] | {"is_admin": True})
    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.body["error"]["details"][0]["field"] == "is_admin"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("value", [None, 1, True, 1.5, [], {}, ["a"], {"a": 1}])
async def test_post__field_of_another_type__is_invalid(auth: Auth, path: str, value: object) -> None:
    for name in GOOD[path]:
        answer = await auth.post(path, GOOD[path] | {name: value})
        assert (answer.status, answer.code) == (422, "invalid")


@pytest.mark.parametrize("path", POSTS)
async def test_post__field_missing__is_invalid(auth: Auth, path: str) -> None:
    for name in GOOD[path]:
        body = {other: value for other, value in GOOD[path].items() if other != name}
        assert (await auth.post(path, body)).code == "invalid"


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("bad", ["\\u0000", "\\ud800", "\\udfff\\ud800"])
async def test_post__nul_or_lone_surrogate_in_any_text__is_invalid(auth: Auth, path: str, bad: str) -> None:
    extra = {"device_name": "phone"} if path != "/v1/auth/refresh" else {}
    extra |= {"display_name": "Ada", "email": "ada@example.org"} if path == "/v1/auth/register" else {}
    whole = GOOD[path] | extra
    for name in whole:
        body = json.dumps(whole | {name: f"{whole[name]}MARK"}).replace("MARK", bad)
        answer = await auth.call("POST", path, data=body, headers=JSON)
        assert (answer.status, answer.code, name) == (422, "invalid", name)


async def test_post__surrogate_in_a_fields_name__is_invalid(auth: Auth) -> None:
    answer = await auth.call("POST", "/v1/auth/login", data=b'{"\\ud800": 1}', headers=JSON)
    assert (answer.status, answer.code) == (422, "invalid")


@pytest.mark.parametrize("path", POSTS)
async def test_post__body_over_the_bound__is_too_large(auth: Auth, path: str) -> None:
    answer = await auth.post(path, GOOD[path] | {"device_name": "x" * 300_000})
    assert (answer.status, answer.code) == (413, "too_large")


async def test_post__endless_body_without_a_length__is_too_large(auth: Auth) -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 16_384

    answer = await auth.call("POST", "/v1/auth/login", data=chunks(), headers=JSON)
    assert (answer.status, answer.code) == (413, "too_large")


@pytest.mark.parametrize(
    "fields",
    [
        {"email": "no address"},
        {"email": "a@b"},
        {"email": "a" * 250 + "@example.org"},
        {"display_name": ""},
        {"display_name": "x" * 65},
        {"display_name": "  "},
        {"display_name": "left\u202eright"},
        {"device_name": "x" * 129},
    ],
)
async def test_register__text_out_of_bounds__is_invalid(auth: Auth, fields: dict[str, str]) -> None:
    answer = await auth.post("/v1/auth/register", {"username": new_name(), "password": PASSWORD} | fields)
    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.body["error"]["details"][0]["field"] in fields


async def test_any__unknown_path__is_not_found(auth: Auth) -> None:
    for path in ("/", "/v1/auth", "/v1/auth/nothing", "/v1/auth/login/", "/docs", "/v1/auth/%00"):
        answer = await auth.get(path)
        assert (answer.status, answer.code) == (404, "not_found")


async def test_any__wrong_method__is_not_allowed(auth: Auth) -> None:
    for method, path in (("GET", "/v1/auth/login"), ("PUT", "/v1/auth/sessions"), ("POST", "/.well-known/jwks.json")):
        answer = await auth.call(method, path)
        assert (answer.status, answer.code) == (405, "method_not_allowed")
        assert "Allow" in answer.headers


async def test_openapi__every_route__has_a_summary_and_our_error_body(auth: Auth) -> None:
    document = (await auth.get("/openapi.json")).body
    routes = [
        (path, operation)
        for path, operations in document["paths"].items()
        for operation in operations.values()
        if not path.endswith("z")
    ]

    assert len(routes) == 34
    for path, operation in routes:
        assert operation["summary"], path
        assert "HTTPValidationError" not in json.dumps(operation), path
        assert "503" in operation["responses"], path
