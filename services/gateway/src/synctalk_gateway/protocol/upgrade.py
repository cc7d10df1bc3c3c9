"""The upgrade of an HTTP request to a websocket: picows' parser as uvicorn's websocket class."""

import asyncio
import socket
from functools import partial
from typing import Any

import orjson
from picows import WSAutoPingStrategy, WSUpgradeRequest, WSUpgradeResponse
from picows.common import WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]
from synctalk_runtime.addresses import client_address
from synctalk_runtime.errors import AppError

from synctalk_gateway.protocol.engine import Engine, parse_query
from synctalk_gateway.protocol.websocket import WebSocketConnection

READ_BUFFER_BYTES = 2048
READ_BYTES = 8192
"""Largest read: picows parses all of it in one turn of the loop, and doubles its buffer as long as reads fill it."""

HANDSHAKE_TIMEOUT_S = 5


class _Silent:
    """A logger without output: of a real one picows makes another for every connection."""

    def isEnabledFor(self, _: int) -> bool:  # noqa: N802
        return False

    def _nothing(self, *_: Any, **__: Any) -> None:
        return

    log = debug = info = warning = error = exception = _nothing


_SILENT = _Silent()


class _UnixTransport:
    """The transport of a Unix socket, on which setting TCP options does nothing: picows sets some.

    Between an edge and a gateway on one machine a Unix socket costs a quarter of loopback TCP: 1.4 us instead of 5.8 to
    send a frame, 1.5 instead of 5.3 to receive it (measured).
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._socket = transport.get_extra_info("socket")
        self._get_extra_info = transport.get_extra_info
        self.write = transport.write
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.close = transport.close
        self.abort = transport.abort
        self.is_closing = transport.is_closing
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self if name == "socket" else self._get_extra_info(name, default)

    def fileno(self) -> int:
        number: int = self._socket.fileno()
        return number

    def setsockopt(self, *_: int) -> None:
        return

    def getsockopt(self, *_: int) -> int:
        return 0


def _is_unix(transport: asyncio.Transport) -> bool:
    return bool(transport.get_extra_info("socket").family == socket.AF_UNIX)


def websocket_class(engine: Engine) -> type[WSProtocol]:
    """Return what uvicorn's `ws` setting takes: it makes one per upgrade request and feeds it the request's head."""

    class WebSocket(WSProtocol):  # type: ignore[misc]
        _websocket: WebSocketConnection | None = None

        def __init__(self, config: Any, server_state: Any, app_state: Any) -> None:
            super().__init__(
                host_port=None,
                ws_path=None,
                is_client_side=False,
                ws_listener_factory=self._accept,
                logger=_SILENT,
                disconnect_on_exception=True,
                websocket_handshake_timeout=HANDSHAKE_TIMEOUT_S,
                enable_auto_ping=False,
                auto_ping_idle_timeout=None,
                auto_ping_reply_timeout=None,
                auto_ping_strategy=WSAutoPingStrategy.PING_WHEN_IDLE,
                enable_auto_pong=False,
                max_frame_size=engine.settings.max_frame_bytes,
                extra_headers=None,
                read_buffer_init_size=READ_BUFFER_BYTES,
            )

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(_UnixTransport(transport) if _is_unix(transport) else transport)

        def get_buffer(self, size_hint: int) -> memoryview:
            buffer: memoryview = super().get_buffer(size_hint)
            return buffer[:READ_BYTES]

        def buffer_updated(self, size: int) -> None:
            if self._websocket is None or self._websocket.admits(size):
                super().buffer_updated(size)

        def data_received(self, head: bytes) -> None:
            """Take the head of the request, once, from uvicorn; picows disconnects at 16 KiB without an end."""
            rest = memoryview(head)
            while rest and not self.transport.underlying_transport.is_closing():
                buffer = self.get_buffer(-1)
                size = min(len(buffer), len(rest))
                buffer[:size] = rest[:size]
                rest = rest[size:]
                self.buffer_updated(size)

        def _accept(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
            headers = request.headers
            query = parse_query(request.path.decode("latin-1").partition("?")[2])
            address = client_address(headers.get("x-forwarded-for"), self._peer())
            try:
                engine.check_upgrade(query, headers.get("origin"), headers.get("host"), address)
            except AppError as error:
                return _refusal(error)
            edge = headers.get("x-synctalk-edge", "")
            self._websocket = WebSocketConnection(engine.settings, address, edge, partial(engine.open_websocket, query))
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(), self._websocket)

        def _peer(self) -> str:
            """Return the peer's address; a Unix socket has none."""
            peer = self.transport.underlying_transport.get_extra_info("peername")
            return peer[0] if isinstance(peer, tuple) else ""

    return WebSocket


def _refusal(error: AppError) -> WSUpgradeResponseWithListener:
    body = orjson.dumps(error.body())
    extra = {"Content-Type": "application/json"}
    if error.retry_after is not None:
        extra["Retry-After"] = str(max(1, round(error.retry_after)))
    return WSUpgradeResponseWithListener(WSUpgradeResponse.create_error_response(error.status, body, extra), None)
