"""What no stock client sends: the socket answers in the error shape, or closes with a reason; it is never left dead."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from synctalk_testkit.clients import Users, new_name
from synctalk_testkit.raw import RawSocket, raw_socket

TOO_BIG, TRY_AGAIN, PROTOCOL_ERROR, INVALID_TEXT = 1009, 1013, 1002, 1007


@pytest_asyncio.fixture(loop_scope="session")
async def raw(users: Users) -> AsyncIterator[RawSocket]:
    """An authenticated socket of a user with nothing."""
    ada = await users.register()
    async with raw_socket(users.http, users.base_url, ada.access_token) as opened:
        yield opened


async def expect_alive(raw: RawSocket) -> None:
    ack = await raw.call(999, "presence:unsubscribe", {"user_ids": []})
    assert ack == {"ok": True}


def expect_refused(ack: Any, *codes: str) -> None:
    assert ack.keys() == {"ok", "error"}, ack
    assert ack["ok"] is False
    assert ack["error"]["code"] in codes, ack


@pytest.mark.parametrize(
    "name",
    [
        "no:such", "", "ready", "message:new", "connect", "connect_error", "disconnect", "disconnecting", "newListener",
        "removeListener", "__proto__", "*", "message", "x" * 10_000,
    ],
)  # fmt: skip
async def test_event__unknown_or_reserved__is_answered_so(raw: RawSocket, name: str) -> None:
    expect_refused(await raw.call(1, name, {}), "unknown_event")
    await expect_alive(raw)


@pytest.mark.parametrize("payload", [None, 7, True, "text", [], [{}], {}, {"conversation_id": 7}, {"no": "such"}])
async def test_payload__of_another_type__is_refused(raw: RawSocket, payload: Any) -> None:
    for number, name in enumerate(("message:send", "receipt:read", "typing:start", "sync", "auth:refresh"), 1):
        expect_refused(await raw.call(number, name, payload), "malformed", "invalid")
    await expect_alive(raw)


@pytest.mark.parametrize("text", ["\\u0000", "a\\u0000b", "\\ud800", "\\udfffx"])
async def test_text__that_cannot_be_kept__is_invalid(users: Users, text: str) -> None:
    ada = await users.register()
    group = (await ada.group_with())["id"]
    async with raw_socket(users.http, users.base_url, ada.access_token) as raw:
        payload = f'{{"conversation_id":"{group}","client_message_id":"a","body":"{text}"}}'
        await raw.send(f'421["message:send",{payload}]')
        expect_refused(await raw.ack(1), "invalid")
        payload = f'{{"conversation_id":"{group}","client_message_id":"{text}","body":"b"}}'
        await raw.send(f'422["message:send",{payload}]')
        expect_refused(await raw.ack(2), "invalid")
        await expect_alive(raw)


@pytest.mark.parametrize(
    "packet",
    [
        '421["sync",{"cursors":NaN}]', '421["sync",{"cursors":Infinity}]', '421["sync",', "421[", "421", "421{}",
        "421[]", "421[7]", '421["sync",{},{}]', '421[["sync"],{}]', "421null", '421"sync"',
    ],
)  # fmt: skip
async def test_packet__that_is_no_event__is_refused_and_the_socket_lives(raw: RawSocket, packet: str) -> None:
    await raw.send(packet)

    expect_refused(await raw.ack(1), "malformed")
    await expect_alive(raw)


@pytest.mark.parametrize(
    "packet",
    [
        "", "4", "5", "6", "9", "x", "42", "48", "4x", "40", '40{"token":"x"}', "43", '43[{}]', '431["x"]', '44{"a":1}',
        '45["x",{"_placeholder":true,"num":0}]', '451-["x",{"_placeholder":true,"num":0}]',
        '459999999999-["x",{"_placeholder":true,"num":0}]', '461-1[{"_placeholder":true,"num":0}]',
        '42/other,["sync",{}]', '42["no:ack",{}]', '42' + "9" * 400 + '["sync",{}]', "0{}", "2probe", "3probe",
        "4" + "[" * 100_000, '421["sync",' + "[" * 60_000 + "]" * 60_000 + "]",
    ],
)  # fmt: skip
async def test_packet__that_means_nothing__leaves_the_socket_alive(raw: RawSocket, packet: str) -> None:
    await raw.send(packet)

    await expect_alive(raw)


async def test_binary_frame__is_dropped(raw: RawSocket) -> None:
    await raw.send(b"\x00\x01\x02")

    await expect_alive(raw)


async def test_event__without_an_ack_id__is_done_all_the_same(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_bob = await bob.connect()
    async with raw_socket(users.http, users.base_url, ada.access_token) as raw:
        payload = {"conversation_id": direct, "client_message_id": new_name(), "body": "no ack wanted"}
        await raw.send("42" + json.dumps(["message:send", payload]))
        await of_bob.wait_for("message:new", lambda message: message["body"] == "no ack wanted")
        await expect_alive(raw)
        assert not any(packet.startswith("43[") for packet in raw.packets)


async def test_frame__as_large_as_a_whole_body_in_escapes__fits(users: Users) -> None:
    ada = await users.register()
    group = (await ada.group_with())["id"]
    async with raw_socket(users.http, users.base_url, ada.access_token) as raw:
        body = "👍" * 8_000  # twelve bytes each, as an escape
        ack = await raw.call(1, "message:send", {"conversation_id": group, "client_message_id": "a", "body": body})

    assert ack["message"]["body"] == body


async def test_frame__over_its_bound__closes_with_a_reason(raw: RawSocket) -> None:
    await raw.send('421["sync","' + "x" * (129 * 1024) + '"]')

    assert await raw.wait_closed() == TOO_BIG
    assert raw.close_reason


async def test_packets__malformed_again_and_again__close_with_a_reason(raw: RawSocket) -> None:
    with contextlib.suppress(ConnectionError):
        for _ in range(100):
            await raw.send("x")

    assert await raw.wait_closed() == PROTOCOL_ERROR
    assert raw.close_reason


@pytest.mark.parametrize(("event", "payload"), [("sync", {"cursors": {}}), ("no:such", {}), ("sync", 7)])
async def test_burst__of_two_thousand_events__is_answered_whole(raw: RawSocket, event: str, payload: Any) -> None:
    for number in range(1_000, 3_000):
        await raw.send(f"42{number}{json.dumps([event, payload])}")
    for number in range(1_000, 3_000):
        ack = await raw.ack(number, timeout=30)
        assert ack["ok"] or ack["error"]["code"] != "rate_limited" or ack["error"]["retry_after"] > 0, ack
    await expect_alive(raw)


async def test_flood__that_goes_on__closes_with_a_reason(raw: RawSocket) -> None:
    async def flood() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                await raw.send('421["no:such",{}]')

    flooding = asyncio.create_task(flood())
    assert await raw.wait_closed() in (TRY_AGAIN, None)
    flooding.cancel()


async def test_namespace__unknown__is_refused_and_nothing_is_received_there(users: Users) -> None:
    async with raw_socket(users.http, users.base_url) as raw:
        await raw.send('40/admin,{"token":"x"}')
        refusal = await raw.wait_for("44/admin,")

    assert json.loads(refusal.removeprefix("44/admin,"))["message"] == "Invalid namespace"


async def test_event__before_connect__is_not_handled(users: Users) -> None:
    ada = await users.register()
    async with raw_socket(users.http, users.base_url) as raw:
        await raw.send('421["presence:unsubscribe",{"user_ids":[]}]')
        await raw.authenticate(ada.access_token)
        await expect_alive(raw)

        assert not any(packet.startswith("431[") for packet in raw.packets)


async def test_socket__that_never_connects__is_closed(users: Users) -> None:
    async with raw_socket(users.http, users.base_url) as raw:
        await raw.wait_closed(15)

        assert [packet[:1] for packet in raw.packets] == ["0"]


async def test_sockets__of_many_hostile_clients__leave_the_others_in_peace(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_ada, of_bob = await ada.connect(), await bob.connect()

    async def attack() -> None:
        async with raw_socket(users.http, users.base_url) as raw:
            with contextlib.suppress(ConnectionError):
                for packet in ("4" + "[" * 60_000, b"\0" * 1000, '42["connect",{}]', "x", '45999-["x"]') * 10:
                    await raw.send(packet)

    attacks = asyncio.gather(*(attack() for _ in range(10)))
    for number in range(10):
        message = await of_ada.say(direct, f"{number}")
        await of_bob.receive("message:new", message)
    await attacks
