"""A websocket: picows' parser as uvicorn's websocket class, handing text straight to the Engine.IO session.

There is no ASGI application and no task per websocket: uvicorn passes the upgrade request's head, picows reads on by
itself. RFC 6455; permessage-deflate is off (it doubles an idle socket's memory).
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, Protocol

import orjson
from picows import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
)
from picows.common import WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]
from synctalk_runtime.errors import AppError

from synctalk_gateway.settings import Settings

USER_TIMEOUT_MS = 15_000
"""A peer that acknowledges nothing for this long is gone (Linux tcp(7), TCP_USER_TIMEOUT)."""

READ_BUFFER_BYTES = 2048
CLOSE_WAIT_S = 2
HANDSHAKE_TIMEOUT_S = 5


class _Silent:
    """picows makes a logger per connection of a real one; ours says nothing and costs nothing."""

    def isEnabledFor(self, _: int) -> bool:  # noqa: N802
        return False

    def _nothing(self, *_: Any, **__: Any) -> None:
        return

    log = debug = info = warning = error = exception = _nothing


_SILENT = _Silent()


class _UnixTransport:
    """A Unix socket's transport, as picows wants one: it sets TCP options, which such a socket does not have.

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


class Session(Protocol):
    """Whose packets a websocket carries: an Engine.IO session."""

    def on_text(self, link: "Link", text: str) -> None:
        """One packet."""

    def on_binary(self) -> None:
        """A binary frame, which we do not take."""

    def on_link_lost(self, link: "Link") -> None:
        """The websocket is gone."""

    def on_pace(self, link: "Link") -> None:
        """The peer reads too slowly, or well again."""


class Owner(Protocol):
    """Who decides about upgrades, and gives each websocket its session: the Engine.IO server."""

    settings: Settings

    def parse_query(self, query: str) -> dict[str, str]:
        """The query of the upgrade request."""

    def check_upgrade(self, query: dict[str, str], origin: str | None, host: str | None) -> None:
        """Raises AppError with what the upgrade is refused."""

    def open_link(self, link: "Link", query: dict[str, str]) -> None:
        """The websocket stands: give it its session."""

    def count_slow(self) -> None:
        """A peer did not read and was cut off."""


class Link(WSListener):
    """One websocket, from its upgrade to its end."""

    def __init__(self, owner: Owner, query: dict[str, str], address: str) -> None:
        self._owner = owner
        self._query: dict[str, str] | None = query
        self.address = address
        self.session: Session | None = None
        self.slow = False
        self._parts: list[bytes] = []
        self._transport: WSTransport | None = None
        self._tcp: asyncio.Transport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._tcp = transport.underlying_transport
        options = transport.underlying_transport.get_extra_info("socket")
        options.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        query, self._query = self._query, None
        assert query is not None
        self._owner.open_link(self, query)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind == WSMsgType.CLOSE:
            self._finish()
        elif transport.is_close_frame_sent:
            return
        elif kind == WSMsgType.TEXT and frame.fin and not self._parts:
            self._on_text(frame.get_payload_as_bytes())
        elif kind in (WSMsgType.TEXT, WSMsgType.CONTINUATION):
            self._on_part(frame)
        elif kind == WSMsgType.BINARY and self.session is not None:
            self.session.on_binary()

    def _on_part(self, frame: WSFrame) -> None:
        self._parts.append(frame.get_payload_as_bytes())
        if sum(map(len, self._parts)) > self._owner.settings.max_frame_bytes:
            self.close(WSCloseCode.MESSAGE_TOO_BIG, "the message is too big")
        elif frame.fin:
            text = b"".join(self._parts)
            self._parts = []
            self._on_text(text)

    def _on_text(self, data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.close(WSCloseCode.INVALID_TEXT, "not UTF-8")
            return
        if self.session is not None:
            self.session.on_text(self, text)

    def on_ws_disconnected(self, _: WSTransport) -> None:
        if self.session is not None:
            self.session.on_link_lost(self)
        self.session = self._transport = self._tcp = None

    def pause_writing(self) -> None:
        self.slow = True
        if self.session is not None:
            self.session.on_pace(self)

    def resume_writing(self) -> None:
        self.slow = False
        if self.session is not None:
            self.session.on_pace(self)

    def direct_writer(self) -> Callable[[bytes], None] | None:
        """What takes a whole frame without a check, while the peer keeps up; the hot loop calls nothing else."""
        return None if self.slow or self._tcp is None else self._tcp.write

    def write(self, frame: bytes) -> None:
        """Hand a whole frame to the kernel. A peer that leaves more than the bound unread is cut off: it will sync."""
        tcp = self._tcp
        if tcp is None:
            return
        tcp.write(frame)
        if self.slow and tcp.get_write_buffer_size() > self._owner.settings.max_buffer_bytes:
            self._owner.count_slow()
            tcp.abort()

    def close(self, code: WSCloseCode = WSCloseCode.OK, reason: str = "") -> None:
        """Say why, and wait until the peer has closed too; one that does not take it in time is cut off.

        What it still sends meanwhile is read and dropped: for unread bytes the kernel would send a reset, and that
        overtakes the reason.
        """
        if self._transport is None or self._tcp is None or self._transport.is_close_frame_sent:
            return
        self._transport.send_close(code, reason)
        asyncio.get_running_loop().call_later(CLOSE_WAIT_S, self._tcp.abort)

    def _finish(self) -> None:
        """The peer closed, or answered our closing."""
        self.close()
        if self._tcp is not None:
            self._tcp.close()

    def abort(self) -> None:
        if self._tcp is not None:
            self._tcp.abort()


def websocket_class(owner: Owner) -> type[WSProtocol]:
    """What uvicorn's `ws` setting takes: it makes one per upgrade request and feeds it the request's head."""

    class WebSocket(WSProtocol):  # type: ignore[misc]
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
                enable_auto_pong=True,
                max_frame_size=owner.settings.max_frame_bytes,
                extra_headers=None,
                read_buffer_init_size=READ_BUFFER_BYTES,
            )

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(_UnixTransport(transport) if _is_unix(transport) else transport)

        def data_received(self, head: bytes) -> None:
            while head:
                buffer = self.get_buffer(-1)
                part, head = head[: len(buffer)], head[len(buffer) :]
                buffer[: len(part)] = part
                self.buffer_updated(len(part))

        def _accept(self, request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
            headers = request.headers
            query = owner.parse_query(request.path.decode("latin-1").partition("?")[2])
            address = headers.get("x-forwarded-for", "").split(",")[-1].strip()
            try:
                owner.check_upgrade(query, headers.get("origin"), headers.get("host"))
            except AppError as error:
                body = orjson.dumps(error.body())
                extra = {"Content-Type": "application/json", "Content-Length": str(len(body))}
                if error.retry_after is not None:
                    extra["Retry-After"] = str(max(1, round(error.retry_after)))
                response = WSUpgradeResponse.create_error_response(error.status, body, extra)
                return WSUpgradeResponseWithListener(response, None)
            return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(), Link(owner, query, address))

    return WebSocket
