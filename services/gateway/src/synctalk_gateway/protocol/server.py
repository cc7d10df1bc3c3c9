"""Socket.IO v5 packets of the namespace `/`: CONNECT, EVENT, ACK, DISCONNECT. https://github.com/socketio/socket.io-protocol

Nothing reaches a handler before CONNECT was answered, reserved event names never do, binary packets are refused, and a
refused or disconnected socket's transport is closed, so that it cannot try again at no cost.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import orjson
import socketio
import structlog
from socketio import packet
from synctalk_runtime.errors import AppError, UnavailableError, UnknownEventError

from synctalk_gateway.errors import MalformedPacketError, RefusedError
from synctalk_gateway.protocol import wire
from synctalk_gateway.protocol.engine import Engine, EngineSocket
from synctalk_gateway.settings import Settings

log = structlog.get_logger()

RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"})
"""Names that socket.io-parser keeps for itself."""

DISCONNECT = wire.Encoded(b"1")
UNKNOWN_NAMESPACE = {"message": "Invalid namespace"}


class Client(Protocol):
    """Whoever is connected: made by the application's connect handler."""

    socket: EngineSocket


Pending = None
"""What a handler returns when the ack will be sent later, by whoever finishes the work."""

OnConnect = Callable[[EngineSocket, Any], Awaitable[Any]]
OnEvent = Callable[[Any, str, Any, int | None], Awaitable[dict[str, Any] | None]]
OnDisconnect = Callable[[Any], None]


class Server(socketio.AsyncServer):  # type: ignore[misc]
    """The protocol's server. The application gives it what to do at connect, event and disconnect."""

    eio: Engine

    def __init__(
        self, settings: Settings, on_connect: OnConnect, on_event: OnEvent, on_disconnect: OnDisconnect
    ) -> None:
        super().__init__(
            async_mode="asgi",
            json=wire,
            monitor_clients=False,
            max_http_buffer_size=settings.max_frame_bytes,
            http_compression=False,
            ping_interval=settings.ping_interval_s,
            ping_timeout=settings.ping_timeout_s,
        )
        self.eio.settings = settings
        self.eio.on_message = self._on_packet
        self.eio.on_closed = self._on_closed
        self._on_connect = on_connect
        self._on_event = on_event
        self._on_disconnect = on_disconnect

    def _engineio_server_class(self) -> type[Engine]:
        return Engine

    async def _on_packet(self, socket: EngineSocket, text: str) -> None:
        pkt = self.packet_class()
        pkt.id = None
        try:
            pkt.decode(text)
        except (ValueError, IndexError, RecursionError):
            self._refuse_malformed(socket, pkt)
            return
        if pkt.namespace not in (None, "/"):
            if pkt.packet_type == packet.CONNECT:
                body = pkt.namespace.encode("utf-8", "replace") + b"," + orjson.dumps(UNKNOWN_NAMESPACE)
                socket.write(wire.Encoded(b"4" + body))
            return
        if pkt.packet_type == packet.EVENT and socket.user is not None:
            await self._dispatch(socket, pkt)
        elif pkt.packet_type == packet.CONNECT and socket.user is None:
            await self._connect(socket, pkt.data)
        elif pkt.packet_type == packet.DISCONNECT:
            socket.end()
        else:
            self._refuse_malformed(socket, pkt)

    def _refuse_malformed(self, socket: EngineSocket, pkt: Any) -> None:
        if pkt.id is not None and socket.user is not None:
            socket.write(wire.ack(pkt.id, {"ok": False, **MalformedPacketError().body()}))
        socket.count_bad_packet()

    async def _connect(self, socket: EngineSocket, auth: Any) -> None:
        """The handler answers CONNECT itself through `accept`, since what it emits must come after that packet."""
        try:
            await self._on_connect(socket, auth)
        except RefusedError as refused:
            self._refuse(socket, refused.error)
        except UnavailableError:
            # Not CONNECT_ERROR, which tells stock clients to stay away: a closed transport brings them back.
            socket.end()
        except Exception as error:
            log.exception("socket.connect_failed", error=type(error).__name__)
            socket.end()

    @staticmethod
    def accept(socket: EngineSocket, client: Client, connection_id: str) -> None:
        """Answer CONNECT; from here on events of this socket are handled."""
        socket.user = client
        socket.write(wire.Encoded(b'0{"sid":"' + connection_id.encode() + b'"}'))

    @staticmethod
    def _refuse(socket: EngineSocket, error: AppError) -> None:
        code = error.code.value
        socket.write(wire.Encoded(b"4" + orjson.dumps({"message": code, "data": error.body()})))
        asyncio.get_running_loop().call_later(1, socket.end)

    async def _dispatch(self, socket: EngineSocket, pkt: Any) -> None:
        data = pkt.data
        if not isinstance(data, list) or not data or not isinstance(data[0], str) or len(data) > 2:
            self._refuse_malformed(socket, pkt)
            return
        name, payload = data[0], data[1] if len(data) == 2 else {}
        try:
            if name in RESERVED:
                raise UnknownEventError
            answer = await self._on_event(socket.user, name, payload, pkt.id)
        except AppError as error:
            answer = {"ok": False, **error.body()}
        except Exception as error:  # the socket's door: told, and answered
            log.exception("socket.event_failed", socket_event=name[:64], error=type(error).__name__)
            answer = {"ok": False, **UnavailableError().body()}
        if answer is not None and pkt.id is not None:
            socket.write(wire.ack(pkt.id, answer))

    def _on_closed(self, socket: EngineSocket) -> None:
        client, socket.user = socket.user, None
        if client is not None:
            self._on_disconnect(client)

    @staticmethod
    def disconnect_for_good(socket: EngineSocket) -> None:
        """DISCONNECT, which stock clients take as "stay away", then close the transport."""
        socket.write(DISCONNECT)
        socket.end()
