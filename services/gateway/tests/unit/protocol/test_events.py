"""Events and CONNECT: which reach a handler, and what each is answered."""

import json
from typing import Any

import pytest
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.protocol.wire import Encoded

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize("name", ["connect", "connect_error", "disconnect", "disconnecting", "newListener"])
async def test_event__with_a_reserved_name__reaches_no_handler(protocol: Any, name: str) -> None:
    async with protocol.connected() as socket:
        socket.send(f'421["{name}",{{}}]')
        (ack,) = await socket.ack(1)
    assert ack["error"]["code"] == "unknown_event"
    assert protocol.handled == []


@pytest.mark.parametrize(
    ("packet", "payload"), [('421["echo"]', {}), ('421["echo",{"a":1}]', {"a": 1}), ('421["echo",7]', 7)]
)
async def test_event__has_one_payload_or_none(protocol: Any, packet: str, payload: object) -> None:
    async with protocol.connected() as socket:
        socket.send(packet)
        assert await socket.ack(1) == [{"ok": True, "payload": payload}]


@pytest.mark.parametrize("packet", ['421["echo",1,2]', "421[]", "421[7]", '421{"a":1}', '421"echo"', "421[NaN]"])
async def test_event__malformed__is_answered_and_counted(protocol: Any, packet: str) -> None:
    async with protocol.connected() as socket:
        for _ in range(20):
            socket.send(packet)
            assert (await socket.ack(1))[0]["error"]["code"] == "malformed"
        socket.send(packet)
        assert await socket.closed() == 1002
    assert protocol.handled == []


async def test_event__before_connect_is_answered__reaches_no_handler(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        socket.send('421["quick",{}]')
        socket.send("40")
        await socket.text("40")
        socket.send('422["quick",{}]')
        await socket.ack(2)
    assert protocol.handled == ["quick"]
    assert not any(payload.startswith(b"431") for _, payload in socket.received)


async def test_event__without_an_ack_id_or_acked_later__is_not_answered(protocol: Any) -> None:
    async with protocol.connected() as socket:
        for packet in ('42["quick",{}]', '421["later",{}]', '42["echo",1,2]', '422["quick",{}]'):
            socket.send(packet)
        await socket.ack(2)
    assert protocol.handled == ["quick", "later", "quick"]
    assert sum(payload.startswith(b"43") for _, payload in socket.received) == 1


async def test_event__beyond_the_limit_without_an_ack_id__is_dropped(make_protocol: Any) -> None:
    protocol = make_protocol(packet_burst=1, packet_rate_per_s=0.001)
    async with protocol.connected() as socket:
        for packet in ('42["quick",{}]', "4", "abc", '4212345678901["quick",{}]', '427["quick",{}]'):
            socket.send(packet)
        (ack,) = await socket.ack(7)
    assert ack["error"]["code"] == "rate_limited"
    assert sum(payload.startswith(b"43") for _, payload in socket.received) == 1


@pytest.mark.parametrize("name", ["broken", "hang", "no:such"])
async def test_event__that_no_handler_answers__is_answered_not_ok(protocol: Any, name: str) -> None:
    async with protocol.connected() as socket:
        socket.send(f'421["{name}",{{}}]')
        assert (await socket.ack(1))[0]["ok"] is False


async def test_packets__of_another_type__are_malformed(protocol: Any) -> None:
    async with protocol.connected() as socket:
        for _ in range(21):
            socket.send("0")
        assert await socket.closed() == 1002


async def test_connect__twice__is_malformed(protocol: Any) -> None:
    async with protocol.connected() as socket:
        for _ in range(21):
            socket.send("40")
        assert await socket.closed() == 1002
    assert sum(payload.startswith(b"40") for _, payload in socket.received) == 1


@pytest.mark.parametrize("token", ["unavailable", "broken"])
async def test_connect__that_fails_inside__closes_and_does_not_refuse(protocol: Any, token: str) -> None:
    async with protocol.websocket() as socket:
        socket.send(f'40{{"token":"{token}"}}')
        assert await socket.closed() == 1000
    assert not any(payload.startswith(b"44") for _, payload in socket.received)


async def test_connect__refused__is_closed_a_second_later(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        socket.send('40{"token":"bad"}')
        refusal = json.loads((await socket.text("44"))[2:])
        now = protocol.now()
        assert await socket.closed() == 1000
        assert protocol.now() - now == pytest.approx(1)
    assert refusal["data"]["error"]["code"] == "unauthenticated"
    assert protocol.disconnected == 0


@pytest.mark.parametrize(("length", "answered"), [(255, True), (256, False)])
async def test_namespace__with_a_long_name__is_not_repeated(protocol: Any, length: int, answered: bool) -> None:
    name = "/" + "x" * length
    async with protocol.connected() as socket:
        socket.send("40" + name)
        socket.send('421["quick",{}]')
        await socket.ack(1)
    assert (b"44" + name.encode() + b',{"message":"Invalid namespace"}' in [p for _, p in socket.received]) is answered


async def test_namespace__of_an_event__is_unknown_and_not_answered(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send('42/other,1["quick",{}]')
        socket.send('422["quick",{}]')
        await socket.ack(2)
    assert protocol.handled == ["quick"]
    assert len(socket.received) == 3


async def test_disconnect__is_sent_and_closes(protocol: Any) -> None:
    async with protocol.connected() as socket:
        Connection("c", "ada", "s", 0.0, socket.session).disconnect(Encoded(b'2["last",{}]'))
        assert await socket.text("41") == "41"
        assert await socket.closed() == 1000
    assert protocol.disconnected == 1


async def test_session__authenticated__is_no_longer_pending(make_protocol: Any) -> None:
    protocol = make_protocol(max_pending_sockets=1)
    async with protocol.connected():
        async with protocol.websocket():
            with pytest.raises(ConnectionRefusedError, match="503"):
                await protocol.open()
        await protocol.wait(0.1)
        async with protocol.connected():
            pass


async def test_event__acked_later__is_acked_when_it_is_done(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send('421["later",{}]')
        socket.send('422["quick",{}]')
        await socket.ack(2)
        protocol.later.set({"ok": True, "seq": 7})
        assert await socket.ack(1) == [{"ok": True, "seq": 7}]
