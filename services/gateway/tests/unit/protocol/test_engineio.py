"""Engine.IO v4 as its protocol's own test suite checks it: handshake, heartbeat, close, upgrade, malformed packets.

What deviates on purpose stands in docs/protocol.md. https://github.com/socketio/engine.io-protocol
"""

import asyncio
import json
from typing import Any

import pytest
from synctalk_testkit.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLOSE = 0x8
QUICK = {"ping_interval_s": 1, "ping_timeout_s": 1}
PARAMETERS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}


# ── handshake ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_handshake__by_polling__opens_a_session_that_may_upgrade(protocol: Any) -> None:
    status, text = await protocol.request("GET", transport="polling")
    opened = json.loads(text[1:])

    assert (status, text[0]) == (200, "0")
    assert opened.keys() == PARAMETERS
    assert opened["upgrades"] == ["websocket"]
    assert (opened["pingInterval"], opened["pingTimeout"], opened["maxPayload"]) == (25_000, 20_000, 131_072)


async def test_handshake__by_websocket__opens_a_session(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        opened = json.loads((await socket.text("0"))[1:])

    assert opened.keys() == PARAMETERS
    assert opened["upgrades"] == []


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", {"EIO": "", "transport": "polling"}),
        ("GET", {"EIO": "3", "transport": "polling"}),
        ("GET", {"EIO": "abc", "transport": "polling"}),
        ("GET", {}),
        ("GET", {"transport": "abc"}),
        ("GET", {"transport": "websocket"}),
        ("POST", {"transport": "polling"}),
        ("PUT", {"transport": "polling"}),
        ("DELETE", {"transport": "polling"}),
    ],
)
async def test_handshake__that_is_none__is_refused(protocol: Any, method: str, query: dict[str, str]) -> None:
    status, text = await protocol.request(method, **query)

    assert status == 400
    assert json.loads(text)["error"]["code"] == "malformed"


@pytest.mark.parametrize("query", [{"EIO": ""}, {"EIO": "abc"}, {"transport": ""}, {"transport": "abc"}, {"sid": "no"}])
async def test_handshake__by_websocket_that_is_none__is_refused(protocol: Any, query: dict[str, str]) -> None:
    with pytest.raises(ConnectionRefusedError):
        await _upgrade(protocol, **query)


async def _upgrade(protocol: Any, **query: str) -> None:
    async with protocol.websocket(**query):
        pass


# ── heartbeat ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_heartbeat__answered_by_polling__keeps_the_session(make_protocol: Any) -> None:
    server = make_protocol(**QUICK)
    sid = await server.connect_polling()
    for _ in range(3):
        assert await server.poll(sid) == (200, "2")
        assert await server.post(sid, "3") == (200, "ok")


async def test_heartbeat__answered_by_websocket__keeps_the_session(make_protocol: Any) -> None:
    server = make_protocol(**QUICK)
    async with server.connected() as socket:
        for _ in range(3):
            assert await socket.text("") == "2"
            socket.send("3")


async def test_heartbeat__unanswered__closes_the_session(make_protocol: Any) -> None:
    server = make_protocol(**QUICK)
    sid = await server.open_polling()
    async with server.websocket() as socket:
        await socket.closed(5)
        await eventually(lambda: _is_gone(server, sid))


async def _is_gone(server: Any, sid: str) -> bool:
    status, _ = await server.poll(sid)
    return bool(status == 400)


# ── messages ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_polling__several_packets_in_one_body__are_all_taken(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    assert await protocol.post(sid, '421["quick",{}]\x1e422["quick",{}]\x1ebAQIDBA==') == (200, "ok")
    assert (await protocol.poll(sid))[1].startswith('431[{"ok":true}]')


@pytest.mark.parametrize("body", ["abc", "x", "421[]\x1eabc", "\x1e", b"\xff\xfe"])
async def test_polling__body_that_is_none__is_refused_and_ends_the_session(protocol: Any, body: Any) -> None:
    sid = await protocol.open_polling()
    assert (await protocol.post(sid, body))[0] == 400
    assert (await protocol.poll(sid))[1] == "1"
    assert (await protocol.poll(sid))[0] == 400


async def test_polling__two_polls_at_once__end_the_session(protocol: Any) -> None:
    sid = await protocol.open_polling()
    answers = await asyncio.gather(protocol.poll(sid), protocol.poll(sid))

    assert sorted(status for status, _ in answers) == [200, 400]
    assert (200, "1") in answers
    assert (await protocol.poll(sid))[0] == 400


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("authenticated", [False, True])
async def test_polling__body_over_its_bound__is_refused_and_ends_the_session(
    protocol: Any, chunked: bool, authenticated: bool
) -> None:
    sid = await (protocol.connect_polling() if authenticated else protocol.open_polling())
    body = b"4" + b"x" * ((129 if authenticated else 17) * 1024)

    async def chunks() -> Any:
        yield body[:10_000]
        yield body[10_000:]

    assert (await protocol.post(sid, chunks() if chunked else body))[0] == 413
    assert (await protocol.poll(sid))[1] == "1"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_polling__with_another_method__is_refused(protocol: Any, method: str) -> None:
    sid = await protocol.open_polling()
    assert (await protocol.request(method, transport="polling", sid=sid))[0] == 400


# ── close ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_close__by_polling__ends_the_open_poll_with_a_noop(protocol: Any) -> None:
    sid = await protocol.open_polling()
    polled, _ = await asyncio.gather(protocol.poll(sid), protocol.post(sid, "1"))

    assert polled == (200, "6")
    assert (await protocol.poll(sid))[0] == 400


async def test_close__by_websocket__closes_it(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        socket.send("1")
        assert await socket.closed(5) == 1000


# ── upgrade ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_upgrade__probed_and_finished__moves_the_session_to_the_websocket(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    polling = asyncio.create_task(protocol.poll(sid))
    async with protocol.websocket(sid=sid) as socket:
        socket.send("2probe")
        assert await socket.text("") == "3probe"
        assert await polling == (200, "6")
        assert await protocol.poll(sid) == (200, "6")
        socket.send("5")
        socket.send('421["quick",{}]')
        assert await socket.text("") == '431[{"ok":true}]'


async def test_upgrade__finished__is_the_end_of_polling_and_of_other_upgrades(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    async with protocol.websocket(sid=sid) as socket:
        for packet in ("2probe", "5", '421["quick",{}]'):
            socket.send(packet)
        await socket.text("431")
        assert (await protocol.poll(sid))[0] == 400
        assert (await protocol.post(sid, "3"))[0] == 400
        with pytest.raises(ConnectionRefusedError):
            await _upgrade(protocol, sid=sid)
        socket.send('422["quick",{}]')
        await socket.text("432")


@pytest.mark.parametrize("packets", [["5"], ["4hello"], ["2probe", "4hello"], ["2"]])
async def test_upgrade__out_of_order__is_given_up_and_polling_goes_on(protocol: Any, packets: list[str]) -> None:
    sid = await protocol.connect_polling()
    async with protocol.websocket(sid=sid) as socket:
        for packet in packets:
            socket.send(packet)
        assert await socket.closed() == 1002
    await protocol.post(sid, '421["quick",{}]')
    assert await protocol.poll(sid) == (200, '431[{"ok":true}]')


async def test_upgrade__by_a_second_websocket__is_refused(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    async with protocol.websocket(sid=sid):
        with pytest.raises(ConnectionRefusedError):
            await _upgrade(protocol, sid=sid)


async def test_upgrade__never_finished__is_closed_in_time_and_polling_goes_on(make_protocol: Any) -> None:
    server = make_protocol(upgrade_timeout_s=0.2)
    sid = await server.connect_polling()
    async with server.websocket(sid=sid) as socket:
        socket.send("2probe")
        assert await socket.text("") == "3probe"
        assert await socket.closed(5) == 1002
    await server.post(sid, '421["quick",{}]')
    assert await server.poll(sid) == (200, '431[{"ok":true}]')


async def test_upgrade__of_a_session_that_ends__is_closed_with_it(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    async with protocol.websocket(sid=sid) as socket:
        await protocol.post(sid, "1")
        assert await socket.closed(5) is not None


async def test_upgrade__tried_again_and_again__is_refused(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    with pytest.raises(ConnectionRefusedError):
        for _ in range(100):
            await _upgrade(protocol, sid=sid)
            await asyncio.sleep(0)
