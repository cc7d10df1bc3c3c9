"""Polling, the upgrade and the websocket: the same to every client, and a session stays on its gateway."""

import asyncio
import json

import pytest
from synctalk_systemtest.stack import RunningStack
from synctalk_testkit.clients import LiveSocket, Users
from synctalk_testkit.eventually import eventually
from synctalk_testkit.http import request

POLLING = ("polling",)
UPGRADING = ("polling", "websocket")


@pytest.mark.parametrize("transports", [POLLING, UPGRADING, ("websocket",)])
async def test_transport__of_any_kind__talks_both_ways(users: Users, transports: tuple[str, ...]) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_ada, of_bob = await ada.connect(transports=transports), await bob.connect()
    assert of_ada.events[0].event == "ready"
    if transports == UPGRADING:
        await eventually(lambda: of_ada.client.eio.transport() == "websocket")
    for number in range(5):
        mine = await of_ada.say(direct, f"mine {number}")
        await of_bob.receive("message:new", mine)
        his = await of_bob.say(direct, f"his {number}")
        await of_ada.receive("message:new", his)

    assert [payload["body"] for payload in of_ada.of("message:new")] == [f"his {number}" for number in range(5)]


async def test_events__during_the_upgrade__come_once_and_in_order(users: Users) -> None:
    ada, bob = await users.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    live = LiveSocket(users.base_url, ada.access_token, UPGRADING)
    ada.sockets.append(live)
    await live.connect(ready=False)
    messages = [await bob.say(direct, f"{number}") for number in range(15)]
    await live.wait_for("message:new", lambda payload: payload == messages[-1])

    ready = live.of("ready")[0]["conversations"][0]["change_seq"]
    expected = [message["change_seq"] for message in messages if message["change_seq"] > ready]
    assert [payload["change_seq"] for payload in live.of("message:new")] == expected


async def test_polling__through_the_edge__stays_on_its_gateway(users: Users) -> None:
    ada = await users.register()
    lives = [await ada.connect(transports=POLLING) for _ in range(6)]
    gateways = {live.client.eio.sid.partition(".")[0] for live in lives}
    for live in lives:
        for _ in range(3):
            await live.done("presence:unsubscribe", {"user_ids": []})

    assert gateways == {"gateway-1", "gateway-2"}
    assert [live.disconnects for live in lives] == [[]] * 6


async def test_polling__many_packets_in_one_post__are_all_done(users: Users) -> None:
    ada = await users.register()
    base = f"{users.base_url}/socket.io/?EIO=4&transport=polling"
    opened = await request(users.http, "GET", base)
    url = f"{base}&sid={json.loads(opened.body[1:])['sid']}"
    await request(users.http, "POST", url, data="40" + json.dumps({"token": ada.access_token}))
    received: list[str] = []
    while not any(packet.startswith("40") for packet in received):
        received += (await request(users.http, "GET", url)).body.split("\x1e")
    packets = "\x1e".join(f'42{number}["presence:unsubscribe",{{"user_ids":[]}}]' for number in range(2_000))
    assert (await request(users.http, "POST", url, data=packets)).status == 200
    while sum(packet.startswith("43") for packet in received) < 2_000:
        received += (await request(users.http, "GET", url)).body.split("\x1e")

    assert all(packet.endswith('[{"ok":true}]') for packet in received if packet.startswith("43"))


async def test_polling__closed_by_the_client__ends_its_open_poll_with_a_noop(users: Users) -> None:
    base = f"{users.base_url}/socket.io/?EIO=4&transport=polling"
    opened = await request(users.http, "GET", base)
    url = f"{base}&sid={json.loads(opened.body[1:])['sid']}"
    polled, closed = await asyncio.gather(request(users.http, "GET", url), request(users.http, "POST", url, data="1"))

    assert (polled.status, polled.body, closed.status) == (200, "6", 200)
    assert (await request(users.http, "GET", url)).status == 400


async def test_handshake__without_a_transport__is_refused(users: Users) -> None:
    assert (await request(users.http, "GET", f"{users.base_url}/socket.io/?EIO=4")).status == 400


async def test_session__that_does_not_exist__is_refused(users: Users, stack: RunningStack) -> None:
    base = f"{users.base_url}/socket.io/?EIO=4&transport=polling"
    for sid in ("1-nothing", "2-nothing", "9-nothing", "nothing", "1-" + "x" * 500):
        answer = await request(users.http, "GET", f"{base}&sid={sid}")
        assert answer.status == 400, answer
    assert (await request(users.http, "GET", f"{users.base_url}/socket.io/?EIO=3&transport=polling")).status == 400


async def test_origin__of_another_site__may_not_connect(users: Users) -> None:
    url = f"{users.base_url}/socket.io/?EIO=4&transport"
    foreign = {"Origin": "https://evil.example"}
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="

    polled = await request(users.http, "GET", f"{url}=polling", headers=foreign)
    assert polled.status in (400, 403)
    upgraded = await request(users.http, "GET", f"{url}=websocket", headers=foreign | upgrade)
    assert upgraded.status == 403
    own = await request(users.http, "GET", f"{url}=polling", headers={"Origin": users.base_url})
    assert own.status == 200
