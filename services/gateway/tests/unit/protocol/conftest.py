"""The protocol without sockets and without waiting: transports in memory, and a clock that jumps to the next timer."""

import asyncio
import json
import selectors
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest_asyncio
import socketio
from synctalk_gateway.acks import Ack, PendingAck
from synctalk_gateway.errors import RefusedError
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_gateway.protocol.server import Accepted, Server
from synctalk_gateway.protocol.upgrade import websocket_class
from synctalk_gateway.protocol.wire import Encoded
from synctalk_gateway.settings import Settings
from synctalk_runtime.errors import UnauthenticatedError, UnavailableError, UnknownEventError

from services.gateway.tests.polling import PollingClient

NOWHERE = {"internal_secret": "x" * 16, "redis_url": "redis://127.0.0.1:1", "rabbitmq_url": "amqp://127.0.0.1:1"}
TEXT, CLOSE = 0x1, 0x8
HIGH_WATER = 64 * 1024


# ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class JumpingSelector(selectors.DefaultSelector):
    """Waits for nothing: when no file is ready, the time is that of the next timer."""

    now = 1_000.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0 if timeout is not None else None)
        if not ready and timeout is not None:
            self.now += timeout
        return ready


class JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.now


def pytest_asyncio_loop_factories() -> dict[str, type[JumpingLoop]]:
    """Run the tests of this folder on it."""
    return {"jumping": JumpingLoop}


# ── websockets ───────────────────────────────────────────────────────────────────────────────────────────────────────


class _Socket:
    """In place of a TCP socket, whose options are set."""

    family = None

    def __init__(self) -> None:
        self.options: list[tuple[int, ...]] = []

    def fileno(self) -> int:
        return -1

    def setsockopt(self, *option: int) -> None:
        self.options.append(option)

    def getsockopt(self, *_: int) -> int:
        return 0


class MemoryTransport(asyncio.Transport):
    """What the server writes goes to `reader`; what the client sends is read once in a turn of the loop."""

    def __init__(self, protocol: Any, peername: Any = ("192.0.2.1", 1)) -> None:
        super().__init__({"socket": _Socket(), "peername": peername})
        self.reader = asyncio.StreamReader()
        self.reads = 0
        self.aborted = False
        self._protocol = protocol
        self._unread = b""
        self._unsent = b""
        self._reading = True
        self._stalled = False
        self._closing = False

    def send(self, data: bytes) -> None:
        """Send from the client's side."""
        self._unread += data
        asyncio.get_running_loop().call_soon(self._read)

    @property
    def unread(self) -> int:
        """Bytes that the server has not read."""
        return len(self._unread)

    def _read(self) -> None:
        if not self._reading or self._closing or not self._unread:
            return
        buffer = self._protocol.get_buffer(-1)
        size = min(len(buffer), len(self._unread))
        buffer[:size] = self._unread[:size]
        self._unread = self._unread[size:]
        self.reads += 1
        self._protocol.buffer_updated(size)
        asyncio.get_running_loop().call_soon(self._read)

    def stall(self) -> None:
        """Stop reading on the client's side."""
        self._stalled = True

    def go_on(self) -> None:
        """Read on the client's side what was written meanwhile."""
        self._stalled = False
        unsent, self._unsent = self._unsent, b""
        self.reader.feed_data(unsent)
        if len(unsent) > HIGH_WATER:
            self._protocol.resume_writing()

    def hang_up(self) -> None:
        """Cut the connection on the client's side."""
        self._lose()

    def write(self, data: Any) -> None:
        if self._closing:
            return
        if not self._stalled:
            self.reader.feed_data(bytes(data))
            return
        before = len(self._unsent)
        self._unsent += bytes(data)
        if before <= HIGH_WATER < len(self._unsent):
            self._protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        return len(self._unsent)

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True
        asyncio.get_running_loop().call_soon(self._read)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._lose()

    def abort(self) -> None:
        self.aborted = not self._closing
        self._lose()

    def _lose(self) -> None:
        if not self._closing:
            self._closing = True
            self.reader.feed_eof()
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)


def frame(kind: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """A client's frame; the mask is zero, so that the payload stands there as it is."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 65536:
        length = bytes((0x80 | 126,)) + struct.pack(">H", size)
    else:
        length = bytes((0x80 | 127,)) + struct.pack(">Q", size)
    return bytes(((0x80 if fin else 0) | kind,)) + length + b"\0\0\0\0" + payload


class WebSocket:
    """A client's side of a websocket, frame by frame."""

    def __init__(self, transport: MemoryTransport, session: Callable[[], EngineSocket]) -> None:
        self.transport = transport
        self.received: list[tuple[int, bytes]] = []
        self._session = session

    @property
    def session(self) -> EngineSocket:
        """The server's session of it."""
        return self._session()

    def send(self, text: str) -> None:
        self.send_frame(TEXT, text.encode())

    def send_frame(self, kind: int, payload: bytes = b"", *, fin: bool = True, count: int = 1) -> None:
        self.transport.send(frame(kind, payload, fin=fin) * count)

    async def next(self) -> tuple[int, bytes]:
        """The next frame. Raises ConnectionError at the end of the connection."""
        reader = self.transport.reader
        try:
            kind, length = await reader.readexactly(2)
            if length == 126:
                length = struct.unpack(">H", await reader.readexactly(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", await reader.readexactly(8))[0]
            received = kind & 0xF, await reader.readexactly(length)
        except asyncio.IncompleteReadError:
            raise ConnectionError from None
        self.received.append(received)
        return received

    async def text(self, beginning: str, within_s: float = 60) -> str:
        """The next text that begins so."""
        async with asyncio.timeout(within_s):
            while True:
                kind, payload = await self.next()
                if kind == TEXT and payload.startswith(beginning.encode()):
                    return payload.decode()
                if kind == CLOSE:
                    raise ConnectionError(f"closed instead of {beginning!r}: {payload!r}")

    async def ack(self, number: int, within_s: float = 60) -> Any:
        """What the ack of this number says."""
        packet = await self.text(f"43{number}[", within_s)
        return json.loads(packet[len(f"43{number}") :])

    async def closed(self, within_s: float = 60) -> int | None:
        """Read until the server closes; the code it gave, None for a cut connection."""
        async with asyncio.timeout(within_s):
            while True:
                try:
                    kind, payload = await self.next()
                except ConnectionError:
                    return None
                if kind == CLOSE:
                    return int.from_bytes(payload[:2], "big")


# ── the server ───────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Client:
    socket: EngineSocket


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    text: str


class Protocol(PollingClient):
    """The protocol's server with handlers of a line, and clients in memory."""

    def __init__(self, **settings: Any) -> None:
        self.server = Server(
            Settings.model_validate(NOWHERE | settings), self._on_connect, self._on_event, self._on_disconnect
        )
        self.engine = self.server.engine
        self.handled: list[str] = []
        self.later = PendingAck()
        self.disconnected = 0
        self._app = socketio.ASGIApp(self.server)
        self._websocket_class = websocket_class(self.engine)

    async def _on_connect(self, socket: EngineSocket, auth: Any) -> Accepted:
        given = auth or {}
        if given.get("token") == "bad":
            raise RefusedError(UnauthenticatedError())
        if given.get("token") == "unavailable":
            raise UnavailableError
        if given.get("token") == "broken":
            raise RuntimeError
        socket.identify(given.get("user", socket.sid))
        return Accepted(Client(socket), "connection", lambda: None)

    async def _on_event(self, client: Client, name: str, payload: Any) -> Ack | PendingAck:
        self.handled.append(name)
        if name == "slow":
            await asyncio.sleep(0.73)
        elif name == "hang":
            await asyncio.Event().wait()
        elif name == "cancelled":
            raise asyncio.CancelledError
        elif name == "broken":
            raise RuntimeError
        elif name == "large":
            client.socket.write(Encoded(b'2["large","' + b"x" * payload["bytes"] + b'"]'))
        elif name == "later":
            return self.later
        elif name == "echo":
            return {"ok": True, "payload": payload}
        elif name != "quick":
            raise UnknownEventError
        return {"ok": True}

    def _on_disconnect(self, _: Client) -> None:
        self.disconnected += 1

    # ── time ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @staticmethod
    def now() -> float:
        return asyncio.get_running_loop().time()

    @staticmethod
    async def wait(seconds: float) -> None:
        """Let so much time pass, at once."""
        await asyncio.sleep(seconds)

    # ── polling ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def ask(self, method: str, *, data: Any = b"", headers: Any = None, **query: str) -> Response:
        """Send one HTTP request; a body may come in chunks, and one that is None never comes."""
        given = {"EIO": "4", **query}
        scope = {
            "type": "http",
            "method": method,
            "path": "/socket.io/",
            "query_string": "&".join(f"{name}={value}" for name, value in given.items() if value).encode(),
            "headers": [(b"host", b"edge")] + [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
            "client": ("192.0.2.1", 1),
            "server": ("edge", 80),
            "scheme": "http",
        }
        sent: list[Any] = []
        chunks = data if hasattr(data, "__aiter__") else _one_chunk(data)
        body = aiter(chunks)

        async def receive() -> Any:
            try:
                return {"type": "http.request", "body": await anext(body), "more_body": True}
            except StopAsyncIteration:
                return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Response(sent[0]["status"], answered, b"".join(m.get("body", b"") for m in sent).decode())

    async def request(self, method: str, *, data: Any = b"", headers: Any = None, **query: str) -> tuple[int, str]:
        response = await self.ask(method, data=data, headers=headers, **query)
        return response.status, response.text

    # ── websockets ───────────────────────────────────────────────────────────────────────────────────────────────

    async def open(self, headers: str = "", peername: Any = ("192.0.2.1", 1), **query: str) -> WebSocket:
        """A websocket whose upgrade was accepted. Raises ConnectionRefusedError with the response's head."""
        before = set(self.engine.sockets)
        protocol = self._websocket_class(None, None, None)
        transport = MemoryTransport(protocol, peername)
        protocol.connection_made(transport)
        given = {"EIO": "4", "transport": "websocket", **query}
        url = "/socket.io/?" + "&".join(f"{name}={value}" for name, value in given.items() if value)
        protocol.data_received(
            f"GET {url} HTTP/1.1\r\nHost: edge\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{headers}"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        head = await transport.reader.readuntil(b"\r\n\r\n")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            transport.hang_up()
            raise ConnectionRefusedError((head + await transport.reader.read()).decode())
        sid = query.get("sid") or next(iter(set(self.engine.sockets) - before), "")
        return WebSocket(transport, lambda: self.engine.sockets[sid])

    @asynccontextmanager
    async def websocket(self, **query: str) -> AsyncIterator[WebSocket]:
        opened = await self.open(**query)
        try:
            yield opened
        finally:
            opened.transport.hang_up()
            await asyncio.sleep(0)

    @asynccontextmanager
    async def connected(self, user: str = "") -> AsyncIterator[WebSocket]:
        """A websocket with CONNECT answered."""
        async with self.websocket() as opened:
            opened.send("40" + (json.dumps({"user": user}) if user else ""))
            await opened.text("40")
            yield opened


async def _one_chunk(data: Any) -> AsyncIterator[bytes]:
    yield data.encode() if isinstance(data, str) else data


MakeProtocol = Callable[..., Protocol]


@pytest_asyncio.fixture(loop_scope="module")
async def make_protocol() -> MakeProtocol:
    """Make a server with settings of its own: `make_protocol(ping_interval_s=1)`."""
    return Protocol


@pytest_asyncio.fixture(loop_scope="module")
async def protocol(make_protocol: MakeProtocol) -> Protocol:
    return make_protocol()
