"""Whatever is sent, every response is the interface's: never a stack trace, never a 500."""

from typing import Any

import pytest

from services.api.tests.integration.conftest import Api

HUGE = 2**70


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("PUT", "/v1/conversations", 405, "method_not_allowed"),
        ("DELETE", "/v1/users/me", 405, "method_not_allowed"),
        ("GET", "/v1/conversations/", 404, "not_found"),
    ],
)
async def test_unknown__path_or_method__is_an_error_body(
    api: Api, method: str, path: str, status: int, code: str
) -> None:
    ada = await api.user()

    response = await ada.call(method, path)

    assert (response.status, response.code) == (status, code)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"[" * 100_000])
async def test_body__that_is_no_json_object__is_malformed(api: Api, data: bytes) -> None:
    ada, ben = await api.users(2)
    path = f"/v1/conversations/{(await ada.direct(ben))['id']}/messages"

    response = await ada.call("POST", path, data=data, headers={"content-type": "application/json"})

    assert (response.status, response.code) == (400, "malformed")


async def test_body__over_256_kib__is_too_large(api: Api) -> None:
    ada, ben = await api.users(2)
    path = f"/v1/conversations/{(await ada.direct(ben))['id']}/messages"

    response = await ada.call("POST", path, {"client_message_id": "a", "body": "x" * 300_000})

    assert (response.status, response.code) == (413, "too_large")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"body": ""}, "body"),
        ({"body": " \n\t "}, "body"),
        ({"body": "x" * 8_001}, "body"),
        ({"body": "a\0b"}, "body"),
        ({"body": "\ud800"}, "body"),
        ({"body": 1}, "body"),
        ({"body": None}, "body"),
        ({"body": ["x"]}, "body"),
        ({"client_message_id": ""}, "client_message_id"),
        ({"client_message_id": "a b"}, "client_message_id"),
        ({"client_message_id": "a\n"}, "client_message_id"),
        ({"client_message_id": "x" * 65}, "client_message_id"),
        ({"client_message_id": HUGE}, "client_message_id"),
        ({"reply_to": "nonsense"}, "reply_to"),
        ({"reply_to": "0197a0a0-0000-7000-8000-000000000000"}, "reply_to"),
        ({"unknown": 1}, "unknown"),
    ],
)
async def test_message__with_a_bad_field__names_it(api: Api, fields: dict[str, Any], named: str) -> None:
    ada, ben = await api.users(2)
    path = f"/v1/conversations/{(await ada.direct(ben))['id']}/messages"

    response = await ada.call("POST", path, {"client_message_id": "a", "body": "x"} | fields)

    assert response.status == 422
    assert response.fields == {named}


async def test_message__of_8000_characters_of_any_kind__is_kept_to_the_letter(api: Api) -> None:
    ada, ben = await api.users(2)
    conversation = await ada.direct(ben)
    body = " é\u0301👩‍👩‍👧‍👦\u202e\r\n\\\"'<b>%s{}" * 300
    body = (body * 10)[:8_000]

    message = await ada.send(conversation["id"], body)

    assert message["body"] == body
    assert (await ben.get(f"/v1/conversations/{conversation['id']}/messages"))["items"][0] == message


@pytest.mark.parametrize(
    "path", ["/v1/users?search=%00", "/v1/users?search=%ff", "/v1/conversations?cursor=%00&limit=1"]
)
async def test_query__that_no_database_holds__is_an_error_body(api: Api, path: str) -> None:
    ada = await api.user()

    response = await ada.call("GET", path)

    assert response.status in (200, 400, 422)


async def test_openapi__declares_errors_and_has_a_line_for_each_route(api: Api) -> None:
    ada = await api.user()

    document = await ada.get("/openapi.json")

    routes = [
        (path, operation)
        for path, operations in document["paths"].items()
        if path.startswith("/v1/")
        for operation in operations.values()
    ]
    assert len(routes) >= 35
    for path, operation in routes:
        assert operation["description"].count("\n") == 0, path
        assert {"401", "422", "429", "503"} <= set(operation["responses"]), path
