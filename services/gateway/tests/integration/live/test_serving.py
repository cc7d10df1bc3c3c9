"""How a gateway is served: over a Unix socket too, and with a planned stop that drains before it closes."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import orjson
from synctalk_runtime.ids import new_id
from synctalk_testkit.eventually import eventually

if TYPE_CHECKING:
    from services.gateway.tests.integration.live.conftest import Live

ADA, BOB = new_id(), new_id()


@asynccontextmanager
async def http_over(path: Path) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession("http://gateway", connector=aiohttp.UnixConnector(str(path))) as http:
        yield http


async def event(websocket: aiohttp.ClientWebSocketResponse, name: str) -> Any:
    """Return the payload of the next event of that name."""
    while True:
        text = await websocket.receive_str(timeout=10)
        if text.startswith(f'42["{name}"'):
            return orjson.loads(text[2:])[1]


async def test_unix_socket__requests_and_websockets__are_served_as_over_tcp(live: "Live", tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    await live.start(http_unix_socket=str(path))
    group = live.upstreams.conversation(ADA, BOB)
    async with http_over(path) as http:
        assert (await http.get("/readyz")).status == 200
        async with http.ws_connect("/socket.io/?EIO=4&transport=websocket") as websocket:
            token = live.tokens.mint(ADA)
            await websocket.send_str("40" + orjson.dumps({"token": token}).decode())
            await event(websocket, "ready")
            await live.upstreams.send(group, BOB)

            assert (await event(websocket, "message:new"))["conversation_id"] == group


async def test_stop__sockets_are_open__is_not_ready_notifies_all_and_closes_in_waves(live: "Live") -> None:
    await live.start(drain_s=60)
    sockets = [await live.connect(user_id, 1, reconnection=False) for user_id in (ADA, BOB)]
    live.servers[1].handle_exit(signal.SIGTERM, None)
    for socket in sockets:
        await socket.wait_for("server:draining")
    await eventually(lambda: len(live.gateways[1].engine.sockets) == 1)
    report = await live.gateways[1].health.report()

    assert not report.ready
    assert live.servers[1].started
    assert sorted(socket.of("server:draining")[0]["reconnect_in_ms"] for socket in sockets) == [0, 30_000]


async def _through(http: aiohttp.ClientSession, edge: str, token: str) -> aiohttp.ClientWebSocketResponse:
    """A websocket that came through an edge of that name."""
    headers = {"X-Synctalk-Edge": edge}
    websocket = await http.ws_connect("/socket.io/?EIO=4&transport=websocket", headers=headers)
    await websocket.send_str("40" + orjson.dumps({"token": token}).decode())
    await event(websocket, "ready")
    return websocket


async def test_edge_drain__closes_the_sockets_of_that_edge_and_no_others(live: "Live", tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    await live.start(http_unix_socket=str(path), drain_s=1)
    leaving, other = "a" * 32, "b" * 32
    async with http_over(path) as http:
        tokens = [live.tokens.mint(ADA) for _ in range(3)]
        going = [await _through(http, leaving, token) for token in tokens[:2]]
        staying = await _through(http, other, tokens[2])
        for _ in range(2):
            async with http.post("/edge/drain", headers={"X-Synctalk-Edge": leaving}) as answer:
                assert answer.status == 204
        waits = [(await event(websocket, "server:draining"))["reconnect_in_ms"] for websocket in going]
        for websocket in going:
            while (message := await websocket.receive(timeout=10)).type is aiohttp.WSMsgType.TEXT:
                pass
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, aiohttp.WSCloseCode.GOING_AWAY)

        assert sorted(waits) == [0, 500]
        assert not live.gateways[1].engine.draining
        await staying.send_str('421["presence:unsubscribe",{"user_ids":[]}]')
        while not (text := await staying.receive_str(timeout=10)).startswith("431"):
            assert "server:draining" not in text


async def test_edge_drain__without_the_name_of_an_edge__is_refused(live: "Live", tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    await live.start(http_unix_socket=str(path))
    async with http_over(path) as http:
        for headers in ({}, {"X-Synctalk-Edge": ""}, {"X-Synctalk-Edge": "a" * 33}):
            async with http.post("/edge/drain", headers=headers) as answer:
                assert answer.status == 422


async def test_stop__a_second_signal__does_not_wait(live: "Live") -> None:
    await live.start(drain_s=600)
    ada = await live.connect(ADA, 1, reconnection=False)
    live.servers[1].handle_exit(signal.SIGTERM, None)
    await ada.wait_for("server:draining")
    live.servers[1].handle_exit(signal.SIGTERM, None)

    await asyncio.wait_for(live.serving[1], 10)


async def test_process__gets_a_signal__drains_and_ends_by_it(live: "Live", tmp_path: Path) -> None:
    path = tmp_path / "gateway.sock"
    environment = live.environment() | {"SYNCTALK_HTTP_PORT": "0", "SYNCTALK_HTTP_UNIX_SOCKET": str(path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "synctalk_gateway", env=os.environ | environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        await eventually(path.exists, timeout=30)
        async with http_over(path) as http:
            await eventually(lambda: _is_ready(http))
            async with http.ws_connect("/socket.io/?EIO=4&transport=websocket") as websocket:
                await websocket.send_str("40" + orjson.dumps({"token": live.tokens.mint(ADA)}).decode())
                await event(websocket, "ready")
                process.terminate()

                assert await event(websocket, "server:draining") == {"reconnect_in_ms": 0}
        assert await asyncio.wait_for(process.wait(), 20) == -signal.SIGTERM  # uvicorn raises it again at the end
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _is_ready(http: aiohttp.ClientSession) -> bool:
    async with http.get("/readyz") as response:
        return response.status == 200
