"""Socket.IO v5 as its protocol's own suite checks it: connect, disconnect, malformed packets; and what fails inside.

What deviates on purpose stands in docs/protocol.md. https://github.com/socketio/socket.io-protocol
"""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROTOCOL_ERROR, INTERNAL_ERROR = 1002, 1011


@pytest.mark.parametrize("connect", ["40", "40{}", '40{"token":"123"}'])
async def test_connect__to_the_main_namespace__is_answered_with_a_sid(protocol: Any, connect: str) -> None:
    async with protocol.websocket() as socket:
        socket.send(connect)
        answer = json.loads((await socket.text("40"))[2:])

    assert answer == {"sid": "connection"}


async def test_connect__to_an_unknown_namespace__is_refused(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        socket.send("40/random")
        assert await socket.text("44") == '44/random,{"message":"Invalid namespace"}'


@pytest.mark.parametrize("packet", ["4abc", "4", "4x"])
async def test_connect__with_what_is_no_packet__closes(protocol: Any, packet: str) -> None:
    async with protocol.websocket() as socket:
        socket.send(packet)
        assert await socket.closed(5) == PROTOCOL_ERROR


async def test_connect__refused__gets_the_error_and_is_closed(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        socket.send('40{"token":"bad"}')
        refusal = json.loads((await socket.text("44"))[2:])
        assert await socket.closed(5) is not None

    assert refusal["message"] == refusal["data"]["error"]["code"] == "unauthenticated"


async def test_connect__refused__cannot_be_repeated(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        for _ in range(10):
            socket.send('40{"token":"bad"}')
        await socket.closed(5)

    assert sum(payload.startswith(b"44") for _, payload in socket.received) == 1


async def test_connect__refused__cannot_be_tried_with_another_token(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        socket.send('40{"token":"bad"}')
        socket.send('40{"token":"good"}')
        await socket.closed(5)

    assert not any(payload.startswith(b"40") for _, payload in socket.received)


@pytest.mark.parametrize("transport", ["polling", "websocket"])
async def test_disconnect__from_the_main_namespace__closes(protocol: Any, transport: str) -> None:
    if transport == "websocket":
        async with protocol.connected() as socket:
            socket.send("41")
            assert await socket.closed(5) == 1000
        return
    sid = await protocol.connect_polling()
    await protocol.post(sid, "41")
    assert (await protocol.poll(sid))[1] == "6"
    assert (await protocol.poll(sid))[0] == 400


async def test_event__with_an_ack_id__is_acked(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send('42456["quick",{}]')
        assert await socket.text("43") == '43456[{"ok":true}]'


@pytest.mark.parametrize("packet", ["abc", "4abc", "46", '421{"a":1}', '451-["x",{"_placeholder":true,"num":0}]'])
async def test_packet__malformed_and_repeated__closes(protocol: Any, packet: str) -> None:
    async with protocol.connected() as socket:
        for _ in range(30):
            socket.send(packet)
        assert await socket.closed(5) == PROTOCOL_ERROR


async def test_namespaces__unknown_again_and_again__close(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        for _ in range(30):
            socket.send("40/random")
        assert await socket.closed(5) == PROTOCOL_ERROR


# ── what fails inside ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_handler__that_fails__is_answered_unavailable(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send('421["broken",{}]')
        socket.send('422["quick",{}]')
        assert json.loads((await socket.text("431"))[3:])[0]["error"]["code"] == "unavailable"
        assert await socket.text("432") == '432[{"ok":true}]'


async def test_handler__that_hangs__is_answered_unavailable_and_the_next_is_done(make_protocol: Any) -> None:
    server = make_protocol(event_timeout_s=0.2)
    async with server.connected() as socket:
        socket.send('421["hang",{}]')
        socket.send('422["quick",{}]')
        assert json.loads((await socket.text("431"))[3:])[0]["error"]["code"] == "unavailable"
        assert await socket.text("432") == '432[{"ok":true}]'


async def test_handler__cancelled__closes_the_socket(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send('421["cancelled",{}]')
        assert await socket.closed(5) == INTERNAL_ERROR
