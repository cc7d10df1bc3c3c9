"""A bare websocket to the gateways: for packets that no stock client sends."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

MAX_MESSAGE_BYTES = 16 * 1024 * 1024


class RawSocket:
    """Writes Engine.IO by hand. Pings are answered; what else comes is kept in `packets`, in order."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.packets: list[str] = []
        self.on_packet: Callable[[str], None] = self.packets.append
        """Takes each packet but pings; by default it is kept."""
        self.close_code: int | None = None
        self.close_reason = ""
        self._arrived = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def send(self, packet: str | bytes) -> None:
        if isinstance(packet, bytes):
            await self.websocket.send_bytes(packet)
        else:
            await self.websocket.send_str(packet)

    async def wait_for(self, beginning: str, timeout: float = 10) -> str:
        """The first packet that begins so, received already or yet to come."""

        def found() -> list[str]:
            return [packet for packet in self.packets if packet.startswith(beginning)]

        async with self._arrived:
            try:
                async with asyncio.timeout(timeout):
                    await self._arrived.wait_for(found)
            except TimeoutError:
                raise AssertionError(f"nothing like {beginning!r} within {timeout} s: {self.packets[-20:]}") from None
        return found()[0]

    async def authenticate(self, token: str) -> None:
        """CONNECT, and wait for `ready`."""
        await self.send("40" + json.dumps({"token": token}))
        await self.wait_for('42["ready"')

    async def call(self, ack_id: int, event: str, payload: Any, timeout: float = 10) -> Any:
        """Send an event with this ack id and return its ack."""
        await self.send(f"42{ack_id}{json.dumps([event, payload])}")
        return await self.ack(ack_id, timeout)

    async def ack(self, ack_id: int, timeout: float = 10) -> Any:
        beginning = f"43{ack_id}["
        return json.loads((await self.wait_for(beginning, timeout))[len(beginning) - 1 :])[0]

    async def wait_closed(self, timeout: float = 10) -> int | None:
        """Wait until the server has closed it; return the code that it gave, None for a cut connection."""
        await asyncio.wait_for(asyncio.shield(self._reader), timeout)
        return self.close_code

    async def close(self) -> None:
        self._reader.cancel()
        await asyncio.gather(self._reader, return_exceptions=True)
        await self.websocket.close()

    async def _read(self) -> None:
        while True:
            message = await self.websocket.receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                await self._on_packet(message.data)
            elif message.type is not aiohttp.WSMsgType.BINARY:
                if message.type is aiohttp.WSMsgType.CLOSE:
                    self.close_code, self.close_reason = message.data, message.extra or ""
                return

    async def _on_packet(self, packet: str) -> None:
        if packet == "2":
            await self.websocket.send_str("3")
            return
        async with self._arrived:
            self.on_packet(packet)
            self._arrived.notify_all()


@asynccontextmanager
async def raw_socket(http: aiohttp.ClientSession, base_url: str, token: str | None = None) -> AsyncIterator[RawSocket]:
    """A websocket that has its Engine.IO handshake behind it; with a token, it is authenticated too."""
    url = f"{base_url}/socket.io/?EIO=4&transport=websocket"
    async with http.ws_connect(url, autoclose=False, max_msg_size=MAX_MESSAGE_BYTES) as websocket:
        raw = RawSocket(websocket)
        try:
            await raw.wait_for("0{")
            if token is not None:
                await raw.authenticate(token)
            yield raw
        finally:
            await raw.close()
