"""What is between the client and the edge: passes HTTP and websockets on, and disturbs what it is asked to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

HOP = frozenset({"host", "connection", "transfer-encoding", "content-length", "content-encoding", "upgrade"})


@dataclass
class Disturbance:
    on: str
    do: str
    left: int


class Wire:
    """One per case. `url` is where the client connects."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._disturbances: list[Disturbance] = []
        self._open: set[asyncio.Transport] = set()
        self._is_cut = False
        self._http: aiohttp.ClientSession
        self.url = ""

    def disturb(self, on: str, do: str, times: int) -> None:
        self._disturbances.append(Disturbance(on, do, times))

    @property
    def waiting(self) -> list[str]:
        """What was asked for and has not happened."""
        return [f"{d.do} {d.on}" for d in self._disturbances if d.left]

    def cut(self) -> None:
        self._is_cut = True
        self._abort()

    def mend(self) -> None:
        self._is_cut = False

    def _abort(self) -> None:
        for transport in list(self._open):
            transport.abort()

    def _wanted(self, kind: str) -> str | None:
        for disturbance in self._disturbances:
            if disturbance.left and kind.startswith(disturbance.on):
                disturbance.left -= 1
                return disturbance.do
        return None

    async def handle(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        assert isinstance(transport, asyncio.Transport)
        if self._is_cut:
            transport.abort()
            return web.Response()
        self._open.add(transport)
        try:
            if request.headers.get("Upgrade", "").lower() == "websocket":
                return await self._websocket(request)
            return await self._exchange(request, transport)
        finally:
            self._open.discard(transport)

    async def _exchange(self, request: web.Request, transport: asyncio.Transport) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP}
        url = self._target + request.raw_path
        async with self._http.request(request.method, url, headers=headers, data=await request.read()) as answer:
            body = await answer.read()
        if self._wanted(f"answer {request.method} {request.path}") in ("drop", "cut"):
            transport.abort()
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
        return web.Response(status=answer.status, headers=kept, body=body)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        near = web.WebSocketResponse(max_msg_size=0)
        await near.prepare(request)
        async with self._http.ws_connect(self._target + request.raw_path, max_msg_size=0) as far:
            pumps = [
                asyncio.create_task(self._pump(far, near, from_server=True)),
                asyncio.create_task(self._pump(near, far, from_server=False)),
            ]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
        await near.close()
        return near

    async def _pump(self, source: "Socket", sink: "Socket", *, from_server: bool) -> None:
        late: list[str] = []
        async for message in source:
            if message.type != aiohttp.WSMsgType.TEXT:
                continue
            frame = message.data
            kind = kind_of(frame, from_server=from_server)
            do = self._wanted(kind) if kind else None
            if do == "cut":
                self._abort()
                return
            if do == "late":
                late.append(frame)
                continue
            for copy in [frame] * {"drop": 0, "double": 2}.get(do or "", 1):
                await sink.send_str(copy)
            if kind.startswith("event"):
                while late:
                    await sink.send_str(late.pop(0))


Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


def kind_of(frame: str, *, from_server: bool) -> str:
    """Return `event NAME`, `emit NAME` or `ack` for a frame of Socket.IO, nothing for any other."""
    if frame.startswith("43"):
        return "ack"
    if not frame.startswith("42"):
        return ""
    name = json.loads(frame[frame.index("[") :])[0]
    return f"{'event' if from_server else 'emit'} {name}"


@asynccontextmanager
async def wire_to(target: str) -> AsyncIterator[Wire]:
    wire = Wire(target)
    app = web.Application(client_max_size=2**20)
    app.router.add_route("*", "/{path:.*}", wire.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, auto_decompress=True) as http:
        wire._http = http
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        wire.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            yield wire
        finally:
            wire.cut()
            await runner.cleanup()
