"""Polling: what a request is answered, what ends a session, and how both directions are bounded."""

import asyncio
import json
from typing import Any

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORIGIN = {"Origin": "https://app.example"}


def acks_of(payload: str) -> dict[str, Any]:
    """The acks of a payload by their number."""
    packets = [packet[2:] for packet in payload.split("\x1e") if packet.startswith("43")]
    return {number: json.loads("[" + body)[0] for number, _, body in (packet.partition("[") for packet in packets)}


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_response__is_never_stored(protocol: Any) -> None:
    for query in ({"transport": "polling"}, {"transport": "nothing"}):
        assert (await protocol.ask("GET", **query)).headers["cache-control"] == "no-store"


async def test_page__of_an_allowed_origin__may_read_the_response(make_protocol: Any) -> None:
    protocol = make_protocol(allowed_origins=["https://app.example"])
    response = await protocol.ask("GET", headers=ORIGIN, transport="polling")

    assert response.status == 200
    assert {name: value for name, value in response.headers.items() if name.startswith("access-control")} == {
        "access-control-allow-origin": "https://app.example",
        "access-control-expose-headers": "Retry-After",
    }
    assert response.headers["vary"] == "Origin"


async def test_preflight__of_an_allowed_origin__is_answered_for_ten_minutes(make_protocol: Any) -> None:
    protocol = make_protocol(allowed_origins=["https://app.example"])
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-one"}
    response = await protocol.ask("OPTIONS", headers=ORIGIN | asked, transport="polling")

    assert (response.status, response.text) == (200, "")
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert response.headers["access-control-allow-methods"] == "OPTIONS, GET, POST"
    assert response.headers["access-control-allow-headers"] == "Authorization, Content-Type"
    assert response.headers["access-control-max-age"] == "600"
    assert "access-control-allow-credentials" not in response.headers


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil"])
async def test_preflight__of_another_origin__is_refused(make_protocol: Any, origin: str) -> None:
    protocol = make_protocol(allowed_origins=["https://app.example"])
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    response = await protocol.ask("OPTIONS", headers=asked, transport="polling")

    assert response.status == 403
    assert not [name for name in response.headers if name.startswith("access-control")]


async def test_error__to_an_allowed_origin__may_be_read(make_protocol: Any) -> None:
    protocol = make_protocol(allowed_origins=["https://app.example"])
    response = await protocol.ask("GET", headers=ORIGIN, transport="nothing")

    assert response.status == 400
    assert response.headers["access-control-allow-origin"] == "https://app.example"
    assert response.headers["vary"] == "Origin"


async def test_page__of_another_origin__is_refused(make_protocol: Any) -> None:
    protocol = make_protocol(allowed_origins=[])
    response = await protocol.ask("GET", headers=ORIGIN, transport="polling")

    assert response.status == 403
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"] == "Origin"


async def test_client__without_an_origin__gets_no_headers_for_pages(protocol: Any) -> None:
    response = await protocol.ask("GET", transport="polling")
    assert not {"vary", "access-control-allow-origin"} & response.headers.keys()


async def test_page__of_any_origin__is_allowed_where_the_settings_allow_all(make_protocol: Any) -> None:
    protocol = make_protocol(allowed_origins=["*"])
    response = await protocol.ask("GET", headers=ORIGIN, transport="polling")

    assert response.status == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN["Origin"]
    assert response.headers["vary"] == "Origin"


async def test_address__of_a_session__is_whom_the_edge_names(protocol: Any) -> None:
    await protocol.ask("GET", headers={"X-Forwarded-For": "198.51.100.7"}, transport="polling")
    assert [session.address for session in protocol.engine.sockets.values()] == ["198.51.100.7"]


async def test_sid__begins_with_the_gateways_name(make_protocol: Any) -> None:
    assert (await make_protocol(gateway_name="gateway-42").open_polling()).startswith("gateway-42.")


# ── bodies ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_body__of_many_packets__gives_others_their_turn(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    other = asyncio.create_task(others())
    await asyncio.sleep(0)
    turns = 0
    await protocol.post(sid, "\x1e".join(["3"] * 2_400))
    other.cancel()
    assert turns >= 2_400 // 256


async def test_body__while_another_is_taken__ends_the_session(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    first_ends = asyncio.Event()

    async def slowly() -> Any:
        yield b'42["quick",'
        await first_ends.wait()
        yield b"{}]"

    first = asyncio.create_task(protocol.post(sid, slowly()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await protocol.post(sid, "3"))[0] == 400
    first_ends.set()
    await first
    assert (await protocol.poll(sid))[1] == "1"
    assert protocol.handled == []


async def test_body__that_does_not_end__ends_the_session(protocol: Any) -> None:
    sid = await protocol.connect_polling()

    async def never() -> Any:
        yield b"42"
        await asyncio.Event().wait()

    now = protocol.now()
    assert (await protocol.post(sid, never()))[0] == 400
    assert protocol.now() - now == pytest.approx(10)
    assert (await protocol.poll(sid))[1] == "1"


async def test_body__after_one_that_fills_the_inbox__is_taken_when_there_is_space(make_protocol: Any) -> None:
    protocol = make_protocol(max_event_queue=10)
    sid = await protocol.connect_polling()
    now = protocol.now()
    await protocol.post(sid, "\x1e".join(['42["slow",{}]'] * 15))
    assert protocol.now() == now
    await protocol.post(sid, '42["quick",{}]')
    assert 9 * 0.73 <= protocol.now() - now <= 11 * 0.73


async def test_body__for_which_there_is_no_space_in_time__ends_the_session(make_protocol: Any) -> None:
    protocol = make_protocol(max_event_queue=1, event_timeout_s=100)
    sid = await protocol.connect_polling()
    await protocol.post(sid, '42["hang",{}]\x1e42["hang",{}]\x1e42["hang",{}]')
    assert (await protocol.post(sid, "3"))[0] == 503
    assert (await protocol.poll(sid))[1] == "1"


async def test_bodies__of_refused_packets__are_taken_at_a_bounded_rate(make_protocol: Any) -> None:
    protocol = make_protocol(packet_burst=1, packet_rate_per_s=0.001, refused_packet_rate_per_s=100)
    sid = await protocol.connect_polling()
    now = protocol.now()
    assert await protocol.post(sid, "\x1e".join(["3"] * 250)) == (200, "ok")
    assert protocol.now() - now == pytest.approx(2.5)


async def test_body__of_a_burst__is_answered_whole(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    await protocol.post(sid, "\x1e".join(f'42{number}["quick",{{}}]' for number in range(3_000)))
    acks: dict[str, Any] = {}
    while len(acks) < 3_000:
        acks |= acks_of((await protocol.poll(sid))[1])
    refused = [ack for ack in acks.values() if not ack["ok"]]

    assert len(refused) == 501
    assert refused[0]["error"]["code"] == "rate_limited"
    assert refused[0]["error"]["retry_after"] == 1
    assert refused[0]["error"]["details"] == {"limit": "packets"}


# ── polls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_poll__waits_for_a_packet(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    now = protocol.now()
    assert await protocol.poll(sid) == (200, "2")
    assert protocol.now() - now == pytest.approx(25)


async def test_events__of_a_client_that_does_not_poll__wait(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    await protocol.post(sid, "\x1e".join(['42["large",{"bytes":100000}]'] * 10))
    await protocol.wait(1)
    assert len(protocol.handled) == 3
    await protocol.poll(sid)
    await protocol.wait(1)
    assert len(protocol.handled) == 6


async def test_client__that_lets_a_mebibyte_wait__is_closed(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    session = protocol.engine.sockets[sid]
    for _ in range(17):
        session.outbox.put("x" * 61_000)
    await protocol.wait(0)
    assert not session.ended
    await protocol.post(sid, '42["large",{"bytes":20000}]')
    session._enqueue("x" * 61_000)
    await protocol.wait(0)
    assert session.ended


# ── the end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("ends", "lingers_s"), [("server", 10), ("client", 1)])
async def test_session__that_ended__may_be_polled_once_more_for_a_while(
    protocol: Any, ends: str, lingers_s: float
) -> None:
    polled, forgotten = [await protocol.connect_polling() for _ in range(2)]
    for sid in (polled, forgotten):
        if ends == "server":
            protocol.engine.sockets[sid].end()
        else:
            await protocol.post(sid, "1")
    await protocol.wait(lingers_s - 0.1)
    assert await protocol.poll(polled) == (200, "1" if ends == "server" else "6")
    assert (await protocol.poll(polled))[0] == 400
    await protocol.wait(0.2)
    assert (await protocol.poll(forgotten))[0] == 400
    assert (protocol.disconnected, protocol.engine.sockets) == (2, {})


async def test_poll__that_waits__returns_when_the_session_ends(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    polling = asyncio.create_task(protocol.poll(sid))
    await protocol.wait(0)
    protocol.engine.sockets[sid].end()
    assert await polling == (200, "1")


async def test_client__that_never_polls_again__is_lost_and_makes_space(make_protocol: Any) -> None:
    protocol = make_protocol(max_sockets_per_address=1)
    await protocol.connect_polling()
    await protocol.wait(25 + 20 + 0.1)
    assert protocol.engine.sockets == {}
    await protocol.connect_polling()


# ── the upgrade ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_upgrade__takes_what_waits_and_what_is_written_to_it_later(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    async with protocol.websocket(sid=sid) as socket:
        socket.send("2probe")
        await socket.text("3probe")
        await protocol.post(sid, '421["quick",{}]')
        await protocol.wait(0.1)
        socket.send("5")
        assert await socket.ack(1) == [{"ok": True}]
        assert socket.session.write_frame == socket.transport.write
        socket.transport.hang_up()
        await protocol.wait(0.1)
    assert (protocol.disconnected, protocol.engine.sockets) == (1, {})


async def test_upgrade__whose_websocket_is_lost__leaves_the_session_to_polling(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    async with protocol.websocket(sid=sid) as socket:
        socket.send("2probe")
        await socket.text("3probe")
        socket.transport.hang_up()
        await protocol.wait(0.1)
    await protocol.post(sid, '421["quick",{}]')
    assert acks_of((await protocol.poll(sid))[1]) == {"1": {"ok": True}}


async def test_upgrade__of_a_session_that_just_ended__is_refused(protocol: Any) -> None:
    sid = await protocol.connect_polling()
    protocol.engine.sockets[sid].end()
    with pytest.raises(ConnectionRefusedError, match="404"):
        await protocol.open(sid=sid)


async def test_upgrade__with_binary_and_too_many_packets__floods_its_session(make_protocol: Any) -> None:
    protocol = make_protocol(packet_burst=10, flood_packets=10)
    sid = await protocol.connect_polling()
    async with protocol.websocket(sid=sid) as socket:
        for _ in range(100):
            socket.send("2probe")
        assert await socket.closed() == 1002
    assert (await protocol.poll(sid))[1] == "1"
