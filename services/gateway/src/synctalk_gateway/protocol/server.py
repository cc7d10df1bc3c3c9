"""Socket.IO v5 packets of the namespace `/`: CONNECT, EVENT, ACK, DISCONNECT. https://github.com/socketio/socket.io-protocol

Nothing reaches a handler before CONNECT was accepted, reserved event names never do, and binary packets are refused.
CONNECT is taken once, and the transport of a refused or disconnected socket is closed.

python-socketio decodes the packets, and its ASGIApp routes requests here. Its AsyncServer is not the base: it keeps a
task and queues per socket and writes through them, encodes an event once per socket, and bounds neither what a client
sends nor what it leaves unread. All of its methods would be overridden, against private names that may change.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import orjson
import structlog
from picows import WSCloseCode
from socketio import packet
from starlette.types import Receive, Scope, Send
from synctalk_runtime.errors import AppError, UnavailableError, UnknownEventError

from synctalk_gateway import acks
from synctalk_gateway.acks import Ack, PendingAck
from synctalk_gateway.errors import MalformedPacketError, RefusedError
from synctalk_gateway.protocol import polling, wire
from synctalk_gateway.protocol.engine import Engine
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_gateway.settings import Settings

log = structlog.get_logger()

RESERVED = frozenset({"connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"})
"""Event names that socket.io-parser reserves."""

UNKNOWN_NAMESPACE = {"message": "Invalid namespace"}
MAX_NAMESPACE = 256


class Client(Protocol):
    """Whoever is connected: made by the application's connect handler."""

    socket: EngineSocket


@dataclass(frozen=True, slots=True)
class Accepted:
    """The answer to a CONNECT. `start` is called when that is written: from then on the client may be sent events."""

    client: Client
    connection_id: str
    start: Callable[[], None]


OnConnect = Callable[[EngineSocket, Any], Awaitable[Accepted]]
"""Raises RefusedError, with which the client stays away, or UnavailableError, after which it comes back."""

OnEvent = Callable[[Any, str, Any], Awaitable[Ack | PendingAck]]
"""Returns the ack, or the ack to come. Raises AppError for every refusal."""

OnDisconnect = Callable[[Any], None]


class Packet(packet.Packet):  # type: ignore[misc]
    """A packet as python-socketio decodes it."""

    json = wire
    packet_type: int
    namespace: str | None
    id: int | None
    data: object


class Server:
    """The Socket.IO server of one gateway. It calls the application's handlers at connect, event and disconnect."""

    def __init__(
        self, settings: Settings, on_connect: OnConnect, on_event: OnEvent, on_disconnect: OnDisconnect
    ) -> None:
        self._event_timeout_s = settings.event_timeout_s
        self._on_connect = on_connect
        self._on_event = on_event
        self._on_disconnect = on_disconnect
        self.engine = Engine(settings, self._on_packet, self._on_ended)

    async def handle_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a polling request, as `socketio.ASGIApp` calls it; websockets never come here."""
        await polling.serve(self.engine, scope, receive, send)

    async def _on_packet(self, socket: EngineSocket, text: str) -> None:
        pkt = Packet()
        try:
            pkt.decode(text)
        except (ValueError, IndexError, RecursionError):
            self._refuse_undecodable(socket, pkt)
            return
        namespace = pkt.namespace or "/"
        if namespace != "/":
            self._refuse_namespace(socket, pkt.packet_type, namespace)
        elif pkt.packet_type == packet.EVENT and socket.client is not None:
            await self._dispatch(socket, pkt)
        elif pkt.packet_type == packet.CONNECT and not socket.connect_asked:
            socket.connect_asked = True
            await self._connect(socket, pkt.data)
        elif pkt.packet_type == packet.DISCONNECT:
            socket.end(by_client=True)
        else:
            self._refuse_malformed(socket, pkt)

    def _refuse_undecodable(self, socket: EngineSocket, pkt: Packet) -> None:
        if socket.connect_asked:
            self._refuse_malformed(socket, pkt)
        else:
            socket.end(WSCloseCode.PROTOCOL_ERROR, "not a packet")

    @staticmethod
    def _refuse_namespace(socket: EngineSocket, packet_type: int, namespace: str) -> None:
        if packet_type == packet.CONNECT and len(namespace) <= MAX_NAMESPACE:
            body = namespace.encode("utf-8", "replace") + b"," + orjson.dumps(UNKNOWN_NAMESPACE)
            socket.write(wire.Encoded(b"4" + body))
        socket.count_bad_packet()

    def _refuse_malformed(self, socket: EngineSocket, pkt: Packet) -> None:
        if pkt.id is not None and socket.client is not None:
            socket.write(wire.ack(pkt.id, acks.refused(MalformedPacketError())))
        socket.count_bad_packet()

    async def _connect(self, socket: EngineSocket, auth: Any) -> None:
        try:
            accepted = await self._on_connect(socket, auth)
            socket.authenticated(accepted.client)
            socket.write(wire.Encoded(b'0{"sid":"' + accepted.connection_id.encode() + b'"}'))
            accepted.start()
        except RefusedError as refused:
            self._refuse(socket, refused.error)
        except UnavailableError:
            # Not CONNECT_ERROR, at which stock clients stay away: a closed transport brings them back.
            socket.end()
        except Exception as error:
            log.exception("socket.connect_failed", error=type(error).__name__)
            socket.end()

    @staticmethod
    def _refuse(socket: EngineSocket, error: AppError) -> None:
        code = error.code.value
        socket.write(wire.Encoded(b"4" + orjson.dumps({"message": code, "data": error.body()})))
        asyncio.get_running_loop().call_later(1, socket.end)

    async def _dispatch(self, socket: EngineSocket, pkt: Packet) -> None:
        data = pkt.data
        if not isinstance(data, list) or not data or not isinstance(data[0], str) or len(data) > 2:
            self._refuse_malformed(socket, pkt)
            return
        name, payload = data[0], data[1] if len(data) == 2 else {}
        try:
            if name in RESERVED:
                raise UnknownEventError
            async with asyncio.timeout(self._event_timeout_s):
                ack = await self._on_event(socket.client, name, payload)
        except AppError as error:
            ack = acks.refused(error)
        except TimeoutError:
            log.warning("socket.event_timed_out", socket_event=name[:64])
            ack = acks.refused(UnavailableError())
        except Exception as error:  # whatever a handler raises is logged and acked
            log.exception("socket.event_failed", socket_event=name[:64], error=type(error).__name__)
            ack = acks.refused(UnavailableError())
        if pkt.id is None:
            return
        if isinstance(ack, PendingAck):  # the socket's next event does not wait for it, and it costs no task
            ack.then(partial(self._write_ack, socket, pkt.id))
        else:
            socket.write(wire.ack(pkt.id, ack))

    @staticmethod
    def _write_ack(socket: EngineSocket, ack_id: int, ack: Ack) -> None:
        socket.write(wire.ack(ack_id, ack))

    def _on_ended(self, socket: EngineSocket) -> None:
        client, socket.client = socket.client, None
        if client is not None:
            self._on_disconnect(client)
