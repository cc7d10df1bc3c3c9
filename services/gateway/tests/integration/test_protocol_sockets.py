"""The protocol where real sockets matter: bodies that arrive slowly, peers that do not read, memory."""

import asyncio
from typing import Any

from synctalk_testkit.eventually import eventually


async def test_upgrade__over_real_sockets__moves_the_session_to_the_websocket(protocol: Any) -> None:
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


async def test_polling__two_bodies_at_once__end_the_session(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    refused = asyncio.Event()

    async def slow_body() -> Any:
        yield b'42["quick",'
        await refused.wait()
        yield b"{}]"

    posting = asyncio.create_task(protocol.post(sid, slow_body()))
    while (await protocol.post(sid, ""))[0] == 200:
        pass  # until the first body has arrived
    refused.set()
    await posting
    assert (await protocol.poll(sid))[1] == "1"


async def test_upgrade__probed_ten_thousand_times__costs_nothing(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    before = await protocol.report()
    async with protocol.websocket(sid=sid) as socket:
        for _ in range(10_000):
            socket.send("2probe")
        await socket.writer.drain()
        assert await protocol.poll(sid) in ((200, "6"), (200, "1"))
        after = await protocol.report()

    assert after["rss"] - before["rss"] < 5_000_000


async def test_socket__that_reads_nothing__has_its_events_wait(protocol: Any) -> None:
    """Nothing is handled while the answers to what came before are left unread."""
    handled: list[int] = [(await protocol.report())["handled"]]

    async def stands_still() -> bool:
        handled.append((await protocol.report())["handled"])
        return handled[0] < handled[-2] == handled[-1]

    async with protocol.connected() as socket, protocol.connected() as other:
        socket.writer.transport.pause_reading()
        for number in range(1_000):
            socket.send(f'42{number}["large",{{"bytes":20000}}]')
        await eventually(stands_still)
        other.send('421["quick",{}]')
        await other.text("431")
        assert handled[-1] - handled[0] < 1_000
        socket.writer.transport.resume_reading()
        answered = {(await socket.text("43")).partition("[")[0] for _ in range(1_000)}

    assert len(answered) == 1_000


async def test_socket__that_leaves_its_answers_unread__is_cut_off(start_server: Any) -> None:
    """Its events wait, so it never reaches the bound in bytes: time is what ends it."""
    protocol = await start_server(unread_timeout_s=0.5)
    async with protocol.connected() as socket:
        socket.writer.transport.pause_reading()
        for number in range(1_000):
            socket.send(f'42{number}["large",{{"bytes":20000}}]')
        await eventually(lambda: _has_no_sockets(protocol))


async def _has_no_sockets(protocol: Any) -> bool:
    return bool((await protocol.report())["sockets"] == 0)
