"""What one hostile client sends before or after CONNECT is closed or answered, and the others do not feel it."""

import asyncio
import json
import time
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
PROTOCOL_ERROR, TOO_BIG, TRY_AGAIN = 1002, 1009, 1013
MAX_LAG_S = 0.5
"""Far below what was measured (40 s), far above what a busy machine makes of some milliseconds."""


def frame(kind: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    assert len(payload) < 126
    return bytes(((0x80 if fin else 0) | kind, 0x80 | len(payload))) + b"\0\0\0\0" + payload


@pytest.mark.parametrize(("fragment", "code"), [(b"a", TOO_BIG), (b"", PROTOCOL_ERROR)])
async def test_fragments__by_the_thousand__close_and_nobody_feels_it(protocol: Any, fragment: bytes, code: int) -> None:
    await protocol.report()
    async with protocol.websocket() as attacker:
        attacker.writer.write(frame(TEXT, b"4", fin=False) + frame(CONTINUATION, fragment, fin=False) * 60_000)
        async with asyncio.timeout(MAX_LAG_S * 4), protocol.connected() as other:
            other.send('421["quick",{}]')
            await other.text("431")
        assert await attacker.closed() == code

    assert (await protocol.report())["lag_s"] < MAX_LAG_S


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (frame(TEXT, b"4", fin=False) + frame(TEXT, b"4"), PROTOCOL_ERROR),
        (frame(TEXT, b"4", fin=False) + frame(BINARY, b"4"), PROTOCOL_ERROR),
        (frame(CONTINUATION, b"4"), PROTOCOL_ERROR),
        (frame(TEXT, b"", fin=False), PROTOCOL_ERROR),
    ],
)
async def test_fragment__out_of_place__closes(protocol: Any, frames: bytes, code: int) -> None:
    async with protocol.websocket() as socket:
        socket.writer.write(frames)
        assert await socket.closed() == code


async def test_fragments__of_an_event__are_one_event(protocol: Any) -> None:
    async with protocol.connected() as socket:
        parts = [b'421["qu', b'ick",', b"{}]"]
        socket.writer.write(frame(TEXT, parts[0], fin=False) + frame(PING, b"between"))
        socket.writer.write(frame(CONTINUATION, parts[1], fin=False) + frame(CONTINUATION, parts[2]))
        assert await socket.text("431") == '431[{"ok":true}]'
        assert (PONG, b"between") in socket.received


async def test_pings__never_read__close_the_socket_and_cost_no_memory(protocol: Any) -> None:
    before = await protocol.report()
    async with protocol.websocket() as attacker:
        async with asyncio.timeout(10):
            assert await attacker.flood(frame(PING, b"p" * 125) * 500, most=50_000_000)
        after = await protocol.report()

    assert after["rss"] - before["rss"] < 5_000_000
    assert after["lag_s"] < MAX_LAG_S


async def test_pings__a_few__are_answered_and_more_are_not(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.writer.write(b"".join(frame(PING, b"%d" % number) for number in range(100)))
        socket.send('421["quick",{}]')
        await socket.text("431")

    pongs = [payload for kind, payload in socket.received if kind == PONG]
    assert pongs[:5] == [b"%d" % number for number in range(5)]
    assert len(pongs) < 50


@pytest.mark.parametrize(
    "packet",
    [
        frame(TEXT, b'421["no:such",{}]'), frame(TEXT, b'421["quick",7]'), frame(TEXT, b'42["no:such",{}]'),
        frame(TEXT, b"3"), frame(PONG), frame(PING), frame(TEXT, b'421["sync","' + b"x" * 100 + b'"]'),
    ],
)  # fmt: skip
async def test_flood__of_packets_of_any_kind__is_closed_in_time(protocol: Any, packet: bytes) -> None:
    await protocol.report()
    async with protocol.connected() as attacker, protocol.connected() as other:
        closing = asyncio.create_task(attacker.closed())
        async with asyncio.timeout(6):
            while not closing.done():
                with suppress(ConnectionError):
                    attacker.writer.write(packet * 500)
                    await attacker.writer.drain()
                other.send('421["quick",{}]')
                async with asyncio.timeout(2):
                    await other.text("431")
        assert await closing in (TRY_AGAIN, None)

    assert (await protocol.report())["lag_s"] < MAX_LAG_S


async def test_frames__long_and_never_finished_before_connect__hold_no_memory(protocol: Any) -> None:
    before = await protocol.report()
    head = b"\x81\xff" + (128 * 1024).to_bytes(8, "big") + b"\0\0\0\0"
    async with AsyncExitStack() as stack:
        attackers = [await stack.enter_async_context(protocol.websocket()) for _ in range(100)]
        for attacker in attackers:
            attacker.writer.write(head + b"x" * 120_000)
        assert await asyncio.gather(*(attacker.closed() for attacker in attackers)) == [TOO_BIG] * 100
        after = await protocol.report()

    assert after["rss"] - before["rss"] < 10_000_000


async def test_frame__long_after_connect__is_taken(protocol: Any) -> None:
    async with protocol.connected() as socket:
        payload = b'421["quick",{"x":"' + b"x" * 100_000 + b'"}]'
        socket.writer.write(b"\x81\xff" + len(payload).to_bytes(8, "big") + b"\0\0\0\0" + payload)
        assert await socket.text("43") == '431[{"ok":true}]'


@pytest.mark.parametrize("name", ["quick", "slow", "no:such"])
async def test_burst__on_a_websocket__is_answered_whole(protocol: Any, name: str) -> None:
    async with protocol.connected() as socket:
        for number in range(2_000):
            socket.send(f'42{number}["{name}",{{}}]')
        answered = {(await socket.text("43")).partition("[")[0] for _ in range(2_000)}

    assert len(answered) == 2_000


@pytest.mark.parametrize("name", ["quick", "slow"])
async def test_burst__in_one_polling_body__is_answered_whole(protocol: Any, name: str) -> None:
    sid = await protocol.connect_polling()
    body = "\x1e".join(f'42{number}["{name}",{{}}]' for number in range(2_000))
    assert await protocol.post(sid, body) == (200, "ok")
    answered: set[str] = set()
    async with asyncio.timeout(20):
        while len(answered) < 2_000:
            packets = (await protocol.poll(sid))[1].split("\x1e")
            answered |= {packet.partition("[")[0] for packet in packets if packet.startswith("43")}

    assert len(answered) == 2_000


async def test_burst__beyond_the_limit__is_rate_limited_without_a_handler(protocol: Any) -> None:
    handled = (await protocol.report())["handled"]
    async with protocol.connected() as socket:
        for number in range(6_000):
            socket.send(f'42{number}["quick",{{}}]')
        acks = [json.loads((await socket.text("43")).partition("[")[2][:-1]) for _ in range(6_000)]
    refused = [ack["error"] for ack in acks if not ack["ok"]]

    assert 2_500 <= 6_000 - len(refused) < 5_000
    assert {error["code"] for error in refused} == {"rate_limited"}
    assert all(error["retry_after"] > 0 for error in refused)
    assert (await protocol.report())["handled"] - handled == 6_000 - len(refused)


# ── several sockets of one user ──────────────────────────────────────────────────────────────────────────────────────


async def _admitted(socket: Any, count: int) -> int:
    """Send so many events; return how many of them reached a handler. Each is answered."""
    for number in range(count):
        socket.send(f'42{number}["quick",{{}}]')
    acks = [json.loads((await socket.text("43")).partition("[")[2][:-1]) for _ in range(count)]
    return sum(ack["ok"] for ack in acks)


async def test_user__with_several_sockets_or_a_new_one__has_one_burst(start_server: Any) -> None:
    server = await start_server(user_packet_burst=1_500, user_packet_rate_per_s=0.001)
    async with server.connected("ada") as first, server.connected("ada") as second:
        assert [await _admitted(socket, 1_000) for socket in (first, second)] == [1_000, 500]
    async with server.connected("ada") as third, server.connected("bob") as other:
        assert await _admitted(third, 1_000) == 0
        assert await _admitted(other, 1_000) == 1_000


async def test_packets__refused__are_read_at_a_bounded_rate(start_server: Any) -> None:
    server = await start_server(user_packet_burst=1, user_packet_rate_per_s=0.001, refused_packet_rate_per_s=4_000)
    began = time.monotonic()
    async with server.connected("ada") as first, server.connected("ada") as second:
        await asyncio.gather(_admitted(first, 1_000), _admitted(second, 1_000))

    assert time.monotonic() - began > 2_000 / 4_000 / 2


async def test_user__whose_sockets_flood_again_and_again__is_refused_and_others_are_not(start_server: Any) -> None:
    server = await start_server(packet_burst=10, flood_packets=10, packet_rate_per_s=1)
    for _ in range(4):
        async with server.connected("ada") as attacker:
            attacker.writer.write(frame(TEXT, b"3") * 1_000)
            assert await attacker.closed() in (TRY_AGAIN, None)
    async with server.websocket() as refused:
        refused.send('40{"user":"ada"}')
        assert await refused.closed() == 1000
    assert not any(payload.startswith(b"4") for _, payload in refused.received)
    async with server.connected("bob"):
        pass
