"""Frames of a websocket: what is taken, what closes, what is answered, and that nobody is read faster than it may."""

import asyncio
import socket as sockets
from typing import Any

import pytest
from prometheus_client import REGISTRY
from synctalk_testkit.eventually import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NORMAL, PROTOCOL_ERROR, INVALID_TEXT, TOO_BIG, TRY_AGAIN = 1000, 1002, 1007, 1009, 1013
READ = 8192


async def turns(count: int = 20) -> None:
    """Let the loop go round without a timer."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_transport__of_a_websocket__gives_silent_peers_up(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        options = socket.transport.get_extra_info("socket").options
    assert (sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT, 15_000) in options


async def test_address__is_the_peer_or_whom_the_edge_names(protocol: Any) -> None:
    direct = await protocol.open()
    edge = await protocol.open(headers="X-Forwarded-For: 198.51.100.7\r\n")
    unix = await protocol.open(peername="")
    assert [s.session.address for s in (direct, edge, unix)] == ["192.0.2.1", "198.51.100.7", ""]


async def test_upgrade__refused__says_why_and_when_to_come_back(make_protocol: Any) -> None:
    protocol = make_protocol(max_sockets_per_address=1)
    await protocol.open()
    with pytest.raises(ConnectionRefusedError) as refused:
        await protocol.open()
    assert "HTTP/1.1 503" in str(refused.value)
    assert "Retry-After: 1\r\n" in str(refused.value)
    assert '"code":"unavailable"' in str(refused.value)


async def test_upgrade__of_a_draining_gateway__is_refused(protocol: Any) -> None:
    protocol.engine.draining = True
    with pytest.raises(ConnectionRefusedError, match="503"):
        await protocol.open()


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [("http://edge", True), ("https://app.example", True), ("https://evil.example", False), ("null", False)],
)
async def test_upgrade__of_a_page__needs_its_own_host_or_an_allowed_origin(
    make_protocol: Any, origin: str, allowed: bool
) -> None:
    protocol = make_protocol(allowed_origins=["https://app.example"])
    if allowed:
        await protocol.open(headers=f"Origin: {origin}\r\n")
        return
    with pytest.raises(ConnectionRefusedError, match="403"):
        await protocol.open(headers=f"Origin: {origin}\r\n")


async def test_query__too_long__is_none(protocol: Any) -> None:
    with pytest.raises(ConnectionRefusedError, match="400"):
        await protocol.open(**{f"x{n}": "y" for n in range(30)})


# ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_text__in_fragments__is_one_packet_and_a_ping_between_is_answered(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send_frame(TEXT, b'421["qu', fin=False)
        socket.send_frame(PING, b"between")
        socket.send_frame(CONTINUATION, b'ick",', fin=False)
        socket.send_frame(CONTINUATION, b"{}]")
        assert await socket.ack(1) == [{"ok": True}]
    assert (PONG, b"between") in socket.received


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([(TEXT, b"4", False), (TEXT, b"4", True)], PROTOCOL_ERROR),
        ([(TEXT, b"4", False), (BINARY, b"4", True)], PROTOCOL_ERROR),
        ([(CONTINUATION, b"4", True)], PROTOCOL_ERROR),
        ([(TEXT, b"", False)], PROTOCOL_ERROR),
        ([(TEXT, b"x", False), *[(CONTINUATION, b"x", False)] * 64], TOO_BIG),
        ([(TEXT, b"\xff", True)], INVALID_TEXT),
        ([(TEXT, b"4", False), (CONTINUATION, b"\xff", True)], INVALID_TEXT),
    ],
)
async def test_frames__that_are_no_message__close(protocol: Any, frames: Any, code: int) -> None:
    async with protocol.websocket() as socket:
        for kind, payload, fin in frames:
            socket.send_frame(kind, payload, fin=fin)
        assert await socket.closed() == code


@pytest.mark.parametrize("count", [20, 21])
async def test_binary_messages__are_malformed_packets(protocol: Any, count: int) -> None:
    async with protocol.connected() as socket:
        socket.send_frame(BINARY, b"x", count=count - 1)
        socket.send_frame(BINARY, b"x", fin=False)
        socket.send_frame(CONTINUATION, b"y")
        socket.send('421["quick",{}]')
        if count == 20:
            assert await socket.ack(1) == [{"ok": True}]
        else:
            assert await socket.closed() == PROTOCOL_ERROR


async def test_pings__are_answered_within_their_rate(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send_frame(PING, b"x" * 125, count=50)
        socket.send('421["quick",{}]')
        await socket.ack(1)
    assert [frame for frame in socket.received if frame[0] == PONG] == [(PONG, b"x" * 125)] * 10


@pytest.mark.parametrize("kind", [PING, PONG])
async def test_pings_and_pongs__are_packets(make_protocol: Any, kind: int) -> None:
    protocol = make_protocol(packet_burst=10, packet_rate_per_s=0.001)
    async with protocol.connected() as socket:
        socket.send_frame(kind, count=9)
        socket.send('421["quick",{}]')
        (ack,) = await socket.ack(1)
    assert ack["error"]["code"] == "rate_limited"


async def test_frame__long_before_connect__closes_and_after_it_is_taken(protocol: Any) -> None:
    async with protocol.websocket() as early, protocol.connected() as late:
        for socket in (early, late):
            socket.send('421["echo",{"x":"' + "x" * 20_000 + '"}]')
        assert await early.closed() == TOO_BIG
        assert (await late.ack(1))[0]["payload"] == {"x": "x" * 20_000}


async def test_frame__too_long_before_connect__is_kept_no_further(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        websocket = socket.session.websocket
        socket.send("4" + "x" * 20_000)
        await socket.closed()
        assert not websocket.admits(1)


async def test_frames__many_and_short_before_connect__are_counted_each(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        socket.send_frame(PONG, b"x" * 125, count=190)
        socket.send("40")
        await socket.text("40")


async def test_frame__longer_than_any_may_be__closes(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send("4" + "x" * (128 * 1024))
        assert await socket.closed() in (TOO_BIG, None)


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_close__by_the_client__is_answered_and_ends_the_session(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send_frame(CLOSE, b"\x03\xe8")
        assert await socket.closed() == NORMAL
        with pytest.raises(ConnectionError):
            await socket.next()
        assert not socket.transport.aborted
        await turns()
    assert (protocol.disconnected, protocol.engine.sockets) == (1, {})


async def test_close__by_the_server__waits_for_the_client_and_then_cuts_it_off(protocol: Any) -> None:
    async with protocol.connected() as socket:
        now = protocol.now()
        socket.session.end()
        assert await socket.closed() == NORMAL
        assert not socket.transport.is_closing()
        with pytest.raises(ConnectionError):
            await socket.next()
        assert socket.transport.aborted
        assert protocol.now() - now == pytest.approx(2)


async def test_packets__after_the_close__are_read_slowly_and_reach_nobody(make_protocol: Any) -> None:
    protocol = make_protocol(refused_packet_rate_per_s=1_000)
    async with protocol.connected() as socket:
        socket.session.end()
        reads = socket.transport.reads
        socket.send_frame(TEXT, b'42["quick",{}]', count=5_000)
        await turns()
        assert socket.transport.reads == reads + 1
        assert await socket.closed() == NORMAL
    assert protocol.handled == []


async def test_connection__lost__ends_the_session(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.transport.hang_up()
        await turns()
    assert (protocol.disconnected, protocol.engine.sockets) == (1, {})


async def test_connection__lost_before_connect__disconnects_nobody(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        socket.transport.hang_up()
        await turns()
    assert (protocol.disconnected, protocol.engine.sockets) == (0, {})


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_reads__are_small_and_of_many_frames_give_others_their_turn(protocol: Any) -> None:
    async with protocol.connected() as socket:
        reads = socket.transport.reads
        socket.send_frame(TEXT, b"3", count=READ // 7 + 1)
        await turns(1)
        assert socket.transport.reads == reads + 1
        assert socket.session.websocket.paused
        await turns()
        assert not socket.session.websocket.paused
        assert socket.transport.unread == 0


async def test_reads__of_a_few_frames__go_on(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.send_frame(TEXT, b"3", count=16)
        await turns(1)
        assert not socket.session.websocket.paused
        socket.send_frame(TEXT, b"3", count=17)
        await turns(1)
        assert socket.session.websocket.paused


async def test_reads__stop_while_the_inbox_is_full(make_protocol: Any) -> None:
    protocol = make_protocol(max_event_queue=10)
    async with protocol.connected() as socket:
        socket.send_frame(TEXT, b'42["slow",{}]', count=2_000)
        await turns()
        reads = socket.transport.reads
        assert socket.transport.unread > 0
        await turns()
        assert socket.transport.reads == reads
        socket.send('421["quick",{}]')
        await socket.ack(1, within_s=5_000)
    assert protocol.handled == ["slow"] * 2_000 + ["quick"]


async def test_reads__of_refused_packets__pause_for_each_of_them(make_protocol: Any) -> None:
    protocol = make_protocol(packet_burst=1, packet_rate_per_s=0.001, refused_packet_rate_per_s=100)
    async with protocol.connected() as socket:
        now = protocol.now()
        for number in range(600):
            socket.send(f'42{number}["quick",{{}}]')
        await socket.ack(599)
        assert 2 < protocol.now() - now < 6
    assert protocol.handled == []


async def test_reads__paused_for_a_peer_that_is_gone__end_in_silence(
    make_protocol: Any, caplog: pytest.LogCaptureFixture
) -> None:
    protocol = make_protocol(packet_burst=1, packet_rate_per_s=0.001, refused_packet_rate_per_s=1)
    async with protocol.connected() as socket:
        websocket = socket.session.websocket
        socket.send_frame(TEXT, b'42["quick",{}]', count=3)
        await turns()
        assert websocket.paused
        socket.transport.hang_up()
        await protocol.wait(10)
    assert not websocket.paused
    assert caplog.records == []


async def test_flood__is_closed_and_its_user_refused_at_last(make_protocol: Any) -> None:
    protocol = make_protocol(packet_burst=10, flood_packets=10)
    closed = REGISTRY.get_sample_value("gateway_flooding_sockets_total") or 0
    for _ in range(4):
        async with protocol.connected("ada") as socket:
            now = protocol.now()
            socket.send_frame(TEXT, b"3", count=100)
            assert await socket.closed() == TRY_AGAIN
            with pytest.raises(ConnectionError):
                await socket.next()
            assert protocol.now() - now == pytest.approx(0.5, abs=0.1)
    assert REGISTRY.get_sample_value("gateway_flooding_sockets_total") == closed + 4
    async with protocol.websocket() as refused:
        refused.send('40{"user":"ada"}')
        assert await refused.closed() == NORMAL
    async with protocol.connected("bob"):
        pass


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_frames__while_the_peer_keeps_up__go_straight_to_the_transport(protocol: Any) -> None:
    async with protocol.connected() as socket:
        session = socket.session
        assert session.write_frame == socket.transport.write
        socket.transport.stall()
        session.websocket.write(b"x" * 70_000)
        assert session.write_frame is None
        socket.transport.go_on()
        assert session.write_frame == socket.transport.write
        session.end()
        assert session.write_frame is None


async def test_peer__that_reads_too_slowly__has_its_events_wait(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.transport.stall()
        for number in range(10):
            socket.send(f'42{number}["large",{{"bytes":40000}}]')
        await turns(50)
        assert len(protocol.handled) == 2
        socket.transport.go_on()
        await socket.ack(9)
    assert len(protocol.handled) == 10


@pytest.mark.parametrize(("burst", "wait_s"), [(100, 10), (3, 1)])
async def test_peer__that_leaves_its_events_unread__is_cut_off_in_time(
    make_protocol: Any, burst: int, wait_s: float
) -> None:
    """One beyond its limit sooner than others."""
    protocol = make_protocol(packet_burst=burst)
    async with protocol.connected() as socket:
        now = protocol.now()
        socket.transport.stall()
        for number in range(4):
            socket.send(f'42{number}["large",{{"bytes":40000}}]')
        await eventually(lambda: socket.transport.aborted)
        assert protocol.now() - now == pytest.approx(wait_s, abs=0.1)
    assert protocol.engine.sockets == {}


async def test_peer__that_reads_in_time__is_not_cut_off(protocol: Any) -> None:
    async with protocol.connected() as socket:
        socket.transport.stall()
        socket.session.websocket.write(b"x" * 70_000)
        await protocol.wait(9)
        socket.transport.go_on()
        await protocol.wait(9)
        assert not socket.transport.is_closing()


async def test_peer__with_a_mebibyte_unread__is_cut_off(protocol: Any) -> None:
    async with protocol.connected() as socket:
        session = socket.session
        socket.transport.stall()
        for _ in range(16):
            session.websocket.write(b"x" * 65_536)
        assert not socket.transport.is_closing()
        session.websocket.write(b"x")
        assert socket.transport.aborted
        await turns()
    assert protocol.engine.sockets == {}


async def test_writes__after_the_end__go_nowhere(protocol: Any) -> None:
    async with protocol.connected() as socket:
        websocket = socket.session.websocket
        socket.transport.hang_up()
        await turns()
        websocket.write(b"x")
        websocket.close()
        websocket.abort()
        assert websocket.direct_writer() is None


# ── the heartbeat ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_heartbeat__unanswered__cuts_off_at_once(protocol: Any) -> None:
    async with protocol.connected() as socket:
        now = protocol.now()
        assert await socket.text("2") == "2"
        assert await socket.closed() == NORMAL
        with pytest.raises(ConnectionError):
            await socket.next()
        assert protocol.now() - now == pytest.approx(25 + 20, abs=0.1)
        assert socket.transport.aborted


async def test_pong__behind_events_that_are_not_read_yet__is_awaited(make_protocol: Any) -> None:
    protocol = make_protocol(max_event_queue=2, ping_interval_s=1, ping_timeout_s=1)
    async with protocol.connected() as socket:
        socket.send_frame(TEXT, b'42["slow",{}]', count=1_000)
        socket.send("3")
        await protocol.wait(250)
        assert not socket.transport.is_closing()


async def test_pong__behind_refused_packets_that_are_not_read_yet__is_awaited(make_protocol: Any) -> None:
    protocol = make_protocol(packet_burst=1, refused_packet_rate_per_s=20, ping_interval_s=1, ping_timeout_s=1)
    async with protocol.connected() as socket:
        socket.send_frame(TEXT, b'42["quick",{}]', count=500)
        await protocol.wait(15)
        assert not socket.transport.is_closing()


async def test_pong__that_nobody_asked_for__is_a_packet(make_protocol: Any) -> None:
    protocol = make_protocol(packet_burst=5, packet_rate_per_s=0.001)
    async with protocol.connected() as socket:
        socket.send_frame(TEXT, b"3", count=4)
        socket.send('421["quick",{}]')
        assert not (await socket.ack(1))[0]["ok"]
        await socket.text("2")
        socket.send("3")
        await protocol.wait(40)
        assert not socket.transport.is_closing()


async def test_socket__that_never_connects__is_closed_in_time(protocol: Any) -> None:
    async with protocol.websocket() as socket:
        now = protocol.now()
        assert await socket.closed() == 1008
        assert protocol.now() - now == pytest.approx(10)


async def test_socket__that_connected__stays(protocol: Any) -> None:
    async with protocol.connected() as socket:
        await protocol.wait(12)
        assert not socket.transport.is_closing()
