"""A gateway's planned stop, a frozen writer, and a client that does not read."""

import asyncio
import socket
import time

from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, User, Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import request
from synctalk_testkit.talk import talk_among

FROZEN_S = 10
GONE_TIMEOUT_S = 20


MOST_SOCKETS = 20


def gateway_of(live: LiveSocket) -> str:
    return str(live.client.eio.sid.partition(".")[0])


async def connected_to(gateway: str, user: User) -> LiveSocket:
    """A socket over the edge, which gives it to the gateway with the fewest."""
    for _ in range(MOST_SOCKETS):
        live = await user.connect()
        if gateway_of(live) == gateway:
            return live
    raise AssertionError(f"of {MOST_SOCKETS} sockets the edge gave none to {gateway}")


async def test_gateway__stopped_as_planned__notifies_and_moves_its_sockets(stack: RunningStack, users: Users) -> None:
    eve = await users.register("Eve")
    sockets = [await connected_to(gateway, eve) for gateway in ("gateway-1", "gateway-2")]
    async with talk_among(users, 6) as talk:
        leaving = [follower for follower in talk.followers if gateway_of(follower) == "gateway-2"]
        staying = [follower for follower in talk.followers if gateway_of(follower) == "gateway-1"]
        try:
            await asyncio.to_thread(stack.stop, "gateway-2")
            for follower in [*leaving, sockets[1]]:
                draining = await follower.wait_for("server:draining")
                assert draining["reconnect_in_ms"] >= 0
                await follower.wait_reconnected(1)
                assert gateway_of(follower) == "gateway-1"
            assert all(follower.disconnects == [] for follower in [*staying, sockets[0]])
            await talk.go_on()
        finally:
            await asyncio.to_thread(stack.start, "gateway-2")
        await talk.prove()


async def test_gateway__draining__lets_its_sockets_go_in_waves(stack: RunningStack, users: Users) -> None:
    ada = await users.register()
    lives = [await ada.connect(at=stack.internal_url("gateway-2"), reconnection=False) for _ in range(20)]
    gone: dict[int, float] = {}

    async def watch(number: int) -> None:
        await lives[number].wait_disconnected(GONE_TIMEOUT_S)
        gone[number] = time.monotonic()

    watching = asyncio.gather(*(watch(number) for number in range(20)))
    stopping = asyncio.create_task(asyncio.to_thread(stack.stop, "gateway-2"))
    try:
        await eventually(lambda: all(live.of("server:draining") for live in lives))
        url = f"{stack.internal_url('gateway-2')}/readyz"
        assert (await request(users.http, "GET", url)).status == 503
        await watching
    finally:
        await stopping
        await asyncio.to_thread(stack.start, "gateway-2")

    assert max(gone.values()) - min(gone.values()) > 1
    promised = [live.of("server:draining")[0]["reconnect_in_ms"] for live in lives]
    assert len(set(promised)) > 10


async def test_api__frozen_and_thawed__loses_and_doubles_nothing(stack: RunningStack, users: Users) -> None:
    async with talk_among(users) as talk:
        began = time.monotonic()
        stack.freeze("api-1")
        try:
            await eventually(lambda: time.monotonic() - began > FROZEN_S, FROZEN_S + 5)
        finally:
            stack.thaw("api-1")
        await talk.go_on()
        await talk.prove()


async def test_redis__frozen_and_thawed__loses_and_doubles_nothing(stack: RunningStack, users: Users) -> None:
    async with talk_among(users) as talk:
        stack.freeze("redis")
        try:
            url = f"{stack.internal_url('gateway-1')}/readyz"
            await eventually(lambda: _status_is(users, url, 503), GONE_TIMEOUT_S)
        finally:
            stack.thaw("redis")
        await talk.go_on()
        await talk.prove()


async def test_socket__that_does_not_read__is_cut_off_and_the_others_are_served(
    stack: RunningStack, users: Users
) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_bob = await bob.connect(at=stack.internal_url("gateway-1"))
    for _ in range(15):
        await ada.say(direct, "👍" * 8_000)
    unreading = await asyncio.to_thread(_UnreadingClient, stack.stack.port_of("gateway-1"))
    unreading.send("40" + f'{{"token":"{ada.access_token}"}}')
    before = await slow_sockets(users, stack)
    packet = f'421["sync",{{"cursors":{{"{direct}":0}}}}]'
    for _ in range(40):
        unreading.send(packet)

    async def cut_off() -> bool:
        return await slow_sockets(users, stack) == before + 1

    try:
        await eventually(cut_off, GONE_TIMEOUT_S, message="it is still connected")
    finally:
        unreading.close()
    assert (await of_bob.say(direct, "still here"))["seq"] == 16


async def _status_is(users: Users, url: str, status: int) -> bool:
    return (await request(users.http, "GET", url)).status == status


async def slow_sockets(users: Users, stack: RunningStack) -> float:
    """How many sockets gateway-1 has cut off because they did not read."""
    metrics = await request(users.http, "GET", f"{stack.internal_url('gateway-1')}/metrics")
    [line] = [line for line in metrics.body.splitlines() if line.startswith("gateway_slow_sockets_total ")]
    return float(line.split()[1])


class _UnreadingClient:
    """A websocket that reads nothing after its handshake, with the smallest buffer there is."""

    MASK = bytes(4)

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(
            b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        opened = b""
        while b"maxPayload" not in opened:
            opened += self._socket.recv(4096)

    def send(self, text: str) -> None:
        data = text.encode()
        size = len(data)
        head = bytes((0x81, 0x80 | size)) if size < 126 else b"\x81\xfe" + size.to_bytes(2, "big")
        self._socket.sendall(head + self.MASK + data)

    def close(self) -> None:
        self._socket.close()
