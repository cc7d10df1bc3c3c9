"""A client's side of HTTP and websockets by hand: what stock clients would not send."""

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from synctalk_testkit.floods.target import Target

MASK = bytes(4)
TEXT, CONTINUATION, PING = 1, 0, 9
FINAL = 0x80


class RefusedError(OSError):
    """The server did not let the connection in; the HTTP status is the text."""


@dataclass
class Wire:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
        """Send one HTTP request on this connection and return the status. The body is read and dropped."""
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        await self.send(f"{method} {path} HTTP/1.1\r\nHost: edge\r\n{head}\r\n".encode() + body)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(answer.split(" ", 2)[1])
        await self._skip_body(answer)
        if "connection: close" in answer:
            raise EOFError
        return status

    async def _skip_body(self, head: str) -> None:
        if "transfer-encoding: chunked" in head:
            while (size := int((await self.reader.readuntil(b"\r\n")).strip(), 16)) > 0:
                await self.reader.readexactly(size + 2)
            await self.reader.readexactly(2)
        elif "content-length: " in head:
            await self.reader.readexactly(int(head.split("content-length: ", 1)[1].split("\r\n", 1)[0]))


def frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    """A client's websocket frame, masked with zeros (RFC 6455, 5.2)."""
    head = bytes(((FINAL if final else 0) | opcode,))
    size = len(payload)
    if size < 126:
        return head + bytes((0x80 | size,)) + MASK + payload
    if size < 65_536:
        return head + b"\xfe" + size.to_bytes(2, "big") + MASK + payload
    return head + b"\xff" + size.to_bytes(8, "big") + MASK + payload


def text(payload: str) -> bytes:
    return frame(TEXT, payload.encode())


@asynccontextmanager
async def connected(target: Target) -> AsyncIterator[Wire]:
    reader, writer = await asyncio.open_connection(target.host, target.port, local_addr=(target.address, 0))
    try:
        yield Wire(reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def websocket(target: Target, query: str = "") -> AsyncIterator[Wire]:
    """A websocket to the gateways, its HTTP upgrade done.

    Raises:
        RefusedError: the edge or the gateway did not upgrade.
    """
    async with connected(target) as wire:
        key = base64.b64encode(os.urandom(16)).decode()
        await wire.send(
            f"GET /socket.io/?EIO=4&transport=websocket{query} HTTP/1.1\r\nHost: edge\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await wire.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise RefusedError(head.split(b" ", 2)[1].decode())
        yield wire


@asynccontextmanager
async def signed_in(target: Target) -> AsyncIterator[Wire]:
    """A websocket of the attacker's own account, after `ready`."""
    async with websocket(target) as wire:
        await wire.send(text(f'40{{"token":"{target.token}"}}'))
        await wire.reader.readuntil(b'42["ready"')
        yield wire
