"""Who may open a socket: decided before authentication, alike on both transports, with when to come back."""

from typing import Any

import pytest
from synctalk_testkit.eventually import eventually

ADA, BOB = {"X-Forwarded-For": "198.51.100.1"}, {"X-Forwarded-For": "9.9.9.9, 203.0.113.5"}


async def refused(server: Any, headers: dict[str, str]) -> bool:
    """Whether a handshake of either transport is refused with when to come back; both answer alike."""
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    answers: set[bool] = set()
    for transport, more in (("polling", {}), ("websocket", upgrade)):
        async with server.http.get(server.url(transport=transport), headers=headers | more) as answer:
            answers.add(answer.status == 503)
            if answer.status == 503:
                assert int(answer.headers["Retry-After"]) >= 1
                assert (await answer.json())["error"]["code"] == "unavailable"
    assert len(answers) == 1
    return answers.pop()


@pytest.mark.parametrize(
    "limit",
    [
        {"handshakes_per_address_per_s": 0.001, "handshakes_per_address_burst": 3},
        {"max_pending_sockets_per_address": 3},
        {"max_sockets_per_address": 3},
    ],
)
async def test_handshakes__too_many_of_one_address__are_refused_and_others_are_not(
    start_server: Any, limit: dict[str, float]
) -> None:
    server = await start_server(**limit)
    for _ in range(3):
        assert (await server.request("GET", transport="polling", headers=ADA))[0] == 200

    assert await refused(server, ADA)
    assert (await server.request("GET", transport="polling", headers=BOB))[0] == 200


async def test_sockets__pending_in_all__are_bounded(start_server: Any) -> None:
    server = await start_server(max_pending_sockets=3)
    for number in range(3):
        headers = {"X-Forwarded-For": f"203.0.113.{number}"}
        assert (await server.request("GET", transport="polling", headers=headers))[0] == 200

    assert await refused(server, ADA)


async def test_sockets__authenticated__are_no_longer_pending(start_server: Any) -> None:
    server = await start_server(max_pending_sockets=1)
    async with server.connected(), server.connected():
        await server.connect_polling()

    assert (await server.report())["sockets"] <= 3


async def test_sockets__closed_or_never_connected__make_space(start_server: Any) -> None:
    server = await start_server(max_sockets_per_address=2, connect_timeout_s=0.2)
    for _ in range(3):
        async with server.websocket(), server.websocket() as second:
            await second.closed(5)
        await eventually(lambda: _has_none(server))


async def _has_none(server: Any) -> bool:
    return bool((await server.report())["sockets"] == 0)
