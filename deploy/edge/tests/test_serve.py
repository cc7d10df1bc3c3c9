"""An edge that is stopped: a real nginx under the image's start script, in front of small gateways."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest_asyncio
from aiohttp import web
from synctalk_backing.programs import nginx_program
from synctalk_testkit.eventually import eventually
from synctalk_testkit.ports import free_port

SERVE = Path(__file__).parents[1] / "serve.sh"
CONFIG = """\
daemon off; pid {folder}/nginx.pid; error_log stderr warn; worker_processes 2;
{user}
events {{ }}
http {{
    access_log off; proxy_temp_path {folder}/proxy; client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream gateways {{ zone gateways 64k; {servers} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://gateways; proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
            proxy_set_header X-Synctalk-Edge "$EDGE_NAME";
        }}
    }}
}}
"""


@dataclass
class Gateway:
    """Keeps the sockets that come, and closes them when their edge says that it leaves."""

    port: int
    sockets: dict[str, web.WebSocketResponse] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    may_close: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets[request.headers["X-Synctalk-Edge"]] = socket
        await self.may_close.wait()
        await socket.close()
        return socket

    async def drain(self, request: web.Request) -> web.Response:
        self.left.append(request.headers["X-Synctalk-Edge"])
        return web.Response(status=204)


@dataclass(frozen=True)
class Serving:
    url: str
    process: asyncio.subprocess.Process
    gateways: list[Gateway]


@asynccontextmanager
async def running(gateway: Gateway) -> AsyncIterator[Gateway]:
    app = web.Application()
    app.router.add_get("/socket", gateway.open)
    app.router.add_post("/edge/drain", gateway.drain)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", gateway.port).start()
    try:
        yield gateway
    finally:
        gateway.may_close.set()
        await runner.cleanup()


@pytest_asyncio.fixture
async def serving(tmp_path: Path) -> AsyncIterator[Serving]:
    """nginx by the script, in front of two gateways; its configuration is filled in by what the script starts."""
    port = free_port()
    async with AsyncExitStack() as stack:
        gateways = [await stack.enter_async_context(running(Gateway(free_port()))) for _ in range(2)]
        servers = " ".join(f"server 127.0.0.1:{gateway.port};" for gateway in gateways)
        user = "user root;" if os.geteuid() == 0 else ""
        template = tmp_path / "template"
        template.write_text(CONFIG.format(folder=tmp_path, port=port, servers=servers, user=user))
        start = f'sed "s/.EDGE_NAME/$EDGE_NAME/" {template} >{tmp_path}/nginx.conf && exec "$@"'
        command = ("sh", "-c", start, "start", str(nginx_program()), "-e", "stderr", "-c", f"{tmp_path}/nginx.conf")
        addresses = " ".join(f"127.0.0.1:{gateway.port}" for gateway in gateways)
        process = await asyncio.create_subprocess_exec(SERVE, *command, env=os.environ | {"EDGE_GATEWAYS": addresses})
        try:
            await eventually((tmp_path / "nginx.pid").exists)
            yield Serving(f"http://127.0.0.1:{port}", process, gateways)
        finally:
            for _ in range(2):
                if process.returncode is None:
                    process.terminate()
            await asyncio.wait_for(process.wait(), 10)


async def test_stop__sockets_are_open__notifies_each_gateway_and_waits_for_the_last(serving: Serving) -> None:
    one, other = serving.gateways
    async with aiohttp.ClientSession() as http:
        sockets = [await http.ws_connect(f"{serving.url}/socket") for _ in range(2)]
        serving.process.send_signal(signal.SIGTERM)
        await eventually(lambda: bool(one.left and other.left))

        assert one.left == other.left == list(one.sockets) == list(other.sockets)
        assert len(one.left[0]) == 32
        assert serving.process.returncode is None
        for gateway in serving.gateways:
            gateway.may_close.set()
        for socket in sockets:
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            await socket.close()
        assert await asyncio.wait_for(serving.process.wait(), 10) == 0


async def test_stop__a_second_signal__does_not_wait(serving: Serving) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{serving.url}/socket"):
        serving.process.send_signal(signal.SIGTERM)
        await eventually(lambda: bool(serving.gateways[0].left))
        serving.process.send_signal(signal.SIGTERM)

        await asyncio.wait_for(serving.process.wait(), 10)
