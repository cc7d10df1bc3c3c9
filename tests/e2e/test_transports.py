"""Polling, the upgrade and the websocket: the same to every client, and a session stays on its gateway."""

import json

import pytest
from synctalk_testkit.clients import LiveSocket, People, request
from synctalk_testkit.eventually import eventually
from synctalk_testkit.stack import RunningStack

POLLING = ("polling",)
UPGRADING = ("polling", "websocket")


@pytest.mark.parametrize("transports", [POLLING, UPGRADING, ("websocket",)])
async def test_transport__of_any_kind__talks_both_ways(people: People, transports: tuple[str, ...]) -> None:
    ada, bob = await people.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    of_ada, of_bob = await ada.connect(transports=transports), await bob.connect()
    assert of_ada.events[0].event == "ready"
    if transports == UPGRADING:
        await eventually(lambda: of_ada.client.eio.transport() == "websocket")
    for number in range(5):
        mine = await of_ada.say(direct, f"mine {number}")
        await of_bob.hear("message:new", mine)
        his = await of_bob.say(direct, f"his {number}")
        await of_ada.hear("message:new", his)

    assert [payload["body"] for payload in of_ada.of("message:new")] == [f"his {number}" for number in range(5)]


async def test_events__during_the_upgrade__come_once_and_in_order(people: People) -> None:
    ada, bob = await people.register_all("Ada", "Bob")
    direct = (await ada.direct_with(bob))["id"]
    live = LiveSocket(people.base_url, ada.access_token, UPGRADING)
    ada.sockets.append(live)
    await live.connect(ready=False)
    messages = [await bob.say(direct, f"{number}") for number in range(15)]
    await live.wait_for("message:new", lambda payload: payload == messages[-1])

    ready = live.of("ready")[0]["conversations"][0]["change_seq"]
    expected = [message["change_seq"] for message in messages if message["change_seq"] > ready]
    assert [payload["change_seq"] for payload in live.of("message:new")] == expected


async def test_polling__through_the_edge__stays_on_its_gateway(people: People) -> None:
    ada = await people.register()
    lives = [await ada.connect(transports=POLLING) for _ in range(6)]
    gateways = {live.client.eio.sid.partition("-")[0] for live in lives}
    for live in lives:
        for _ in range(3):
            await live.done("presence:unsubscribe", {"user_ids": []})

    assert gateways == {"1", "2"}
    assert [live.disconnects for live in lives] == [[]] * 6


async def test_polling__many_packets_in_one_post__are_all_done(people: People) -> None:
    ada = await people.register()
    base = f"{people.base_url}/socket.io/?EIO=4&transport=polling"
    opened = await request(people.http, "GET", base)
    url = f"{base}&sid={json.loads(opened.body[1:])['sid']}"
    await request(people.http, "POST", url, data="40" + json.dumps({"token": ada.access_token}))
    packets = "\x1e".join(f'42{number}["presence:unsubscribe",{{"user_ids":[]}}]' for number in range(60))
    assert (await request(people.http, "POST", url, data=packets)).status == 200
    heard: list[str] = []
    while sum(packet.startswith("43") for packet in heard) < 60:
        heard += (await request(people.http, "GET", url)).body.split("\x1e")

    assert all(packet.endswith('[{"ok":true}]') for packet in heard if packet.startswith("43"))


async def test_session__that_does_not_exist__is_refused(people: People, stack: RunningStack) -> None:
    base = f"{people.base_url}/socket.io/?EIO=4&transport=polling"
    for sid in ("1-nothing", "2-nothing", "9-nothing", "nothing", "1-" + "x" * 500):
        answer = await request(people.http, "GET", f"{base}&sid={sid}")
        assert answer.status == 400, answer
    assert (await request(people.http, "GET", f"{people.base_url}/socket.io/?EIO=3&transport=polling")).status == 400


async def test_origin__of_another_site__may_not_connect(people: People) -> None:
    url = f"{people.base_url}/socket.io/?EIO=4&transport"
    foreign = {"Origin": "https://evil.example"}
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="

    polled = await request(people.http, "GET", f"{url}=polling", headers=foreign)
    assert polled.status in (400, 403)
    upgraded = await request(people.http, "GET", f"{url}=websocket", headers=foreign | upgrade)
    assert upgraded.status == 403
    own = await request(people.http, "GET", f"{url}=polling", headers={"Origin": people.base_url})
    assert own.status == 200
