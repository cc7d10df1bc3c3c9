"""The protocol's server as a process of its own, and a websocket whose frames are written by hand."""

import asyncio
import base64
import json
import secrets
import struct
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest_asyncio
from synctalk_testkit.own_redis import own_redis

from services.gateway.tests.polling import PollingClient

SERVER = Path(__file__).parent / "protocol_server.py"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_url() -> AsyncIterator[str]:
    """A server of the gateway's tests alone: they cut all of its subscriptions, also those of others."""
    async with own_redis() as server:
        yield server.url


@dataclass
class ProtocolProcess(PollingClient):
    """A running `protocol_server.py`."""

    process: asyncio.subprocess.Process
    port: int
    http: aiohttp.ClientSession

    async def report(self) -> dict[str, Any]:
        """How it fares: its memory, its sockets, the events handled, and the loop's worst lag since the last report."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"report\n")
        report: dict[str, Any] = await _line(self.process)
        return report

    def url(self, **query: str) -> str:
        """The endpoint with these parameters beside `EIO=4`; an empty one is left out."""
        given = {"EIO": "4", **query}
        text = "&".join(f"{name}={value}" for name, value in given.items() if value)
        return f"http://127.0.0.1:{self.port}/socket.io/?{text}"

    async def request(self, method: str, *, data: Any = None, headers: Any = None, **query: str) -> tuple[int, str]:
        async with self.http.request(method, self.url(**query), data=data, headers=headers) as answer:
            return answer.status, await answer.text()

    @asynccontextmanager
    async def websocket(self, **query: str) -> AsyncIterator["Frames"]:
        """A websocket whose upgrade was accepted."""
        opened = await Frames.open(self.port, self.url(**({"transport": "websocket"} | query)))
        try:
            yield opened
        finally:
            opened.writer.transport.abort()

    @asynccontextmanager
    async def connected(self, user: str = "") -> AsyncIterator["Frames"]:
        """A websocket with CONNECT answered; of this user, or of one that has no other."""
        async with self.websocket() as opened:
            opened.send("40" + (json.dumps({"user": user}) if user else ""))
            await opened.text("40")
            yield opened


def frame(kind: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A masked frame; the mask is zero, so that the payload stands there as it is."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65536:
        length = bytes((0x80 | 126,)) + struct.pack(">H", size)
    else:
        length = bytes((0x80 | 127,)) + struct.pack(">Q", size)
    return bytes(((0x80 if fin else 0) | kind,)) + length + b"\0\0\0\0" + payload


@dataclass
class Frames:
    """One websocket, frame by frame."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: list[tuple[int, bytes]] = field(default_factory=list)

    @classmethod
    async def open(cls, port: int, url: str) -> "Frames":
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        writer.write(
            f"GET {url.partition(str(port))[2]} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            writer.transport.abort()
            raise ConnectionRefusedError(head.decode())
        return cls(reader, writer)

    def send(self, text: str) -> None:
        self.writer.write(frame(TEXT, text.encode()))

    async def flood(self, chunk: bytes, most: int) -> bool:
        """Write the chunk again and again, `most` bytes in all; whether the server cut it short."""
        try:
            for _ in range(most // len(chunk)):
                self.writer.write(chunk)
                await self.writer.drain()
        except ConnectionError:
            return True
        return False

    async def next(self) -> tuple[int, bytes]:
        """The next frame. Raises ConnectionError at the end of the connection."""
        try:
            kind, length = await self.reader.readexactly(2)
            if length == 126:
                length = struct.unpack(">H", await self.reader.readexactly(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", await self.reader.readexactly(8))[0]
            received = kind & 0xF, await self.reader.readexactly(length)
        except asyncio.IncompleteReadError:
            raise ConnectionError from None
        self.received.append(received)
        return received

    async def text(self, beginning: str) -> str:
        """The next text that begins so."""
        async with asyncio.timeout(10):
            while True:
                kind, payload = await self.next()
                if kind == TEXT and payload.startswith(beginning.encode()):
                    return payload.decode()
                if kind == CLOSE:
                    raise ConnectionError(f"closed instead of {beginning!r}: {payload!r}")

    async def closed(self, within_s: float = 10) -> int | None:
        """Read until the server closes; the code it gave, None for a cut connection."""
        async with asyncio.timeout(within_s):
            while True:
                try:
                    kind, payload = await self.next()
                except ConnectionError:
                    return None
                if kind == CLOSE:
                    return int.from_bytes(payload[:2], "big")


async def _line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    async with asyncio.timeout(30):
        return json.loads(await process.stdout.readline())


@asynccontextmanager
async def _running(settings: dict[str, Any]) -> AsyncIterator[ProtocolProcess]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(SERVER),
        json.dumps(settings),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with aiohttp.ClientSession() as http:
            yield ProtocolProcess(process, await _line(process), http)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


StartServer = Callable[..., Awaitable[ProtocolProcess]]


@pytest_asyncio.fixture(loop_scope="session")
async def start_server() -> AsyncIterator[StartServer]:
    """Starts a protocol server with settings of its own: `await start_server(ping_interval_s=1)`."""
    async with AsyncExitStack() as stack:

        async def start(**settings: Any) -> ProtocolProcess:
            return await stack.enter_async_context(_running(settings))

        yield start


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def protocol() -> AsyncIterator[ProtocolProcess]:
    """A protocol server with the settings of production, for all tests that leave it as they found it."""
    async with _running({}) as started:
        yield started
