"""Engine.IO v4: sids that name their gateway, sockets that write straight to their websocket, pings as timers.

Polling stays with the library. From the upgrade on everything goes to the websocket, never half by the queue, or order
would break. https://github.com/socketio/engine.io-protocol (v4).
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import engineio
import orjson
from engineio import exceptions, packet
from engineio.async_socket import AsyncSocket
from engineio.payload import Payload
from picows import WSCloseCode
from prometheus_client import Counter
from synctalk_runtime.errors import ForbiddenError, MalformedError, NotFoundError

from synctalk_gateway.errors import DrainingError
from synctalk_gateway.protocol import wire
from synctalk_gateway.protocol.websocket import Link
from synctalk_gateway.settings import Settings

CLOSED_SLOW = Counter("gateway_slow_sockets_total", "Sockets cut off because they did not read.")

Payload.max_decode_packets = 500

PING = wire.frame(b"2")
PONG_PROBE = wire.frame(b"3probe")
MAX_BAD_PACKETS = 20
LAST_POLL_S = 10
"""How long a polling client may take to fetch its last packets."""


class EngineSocket(AsyncSocket):  # type: ignore[misc]
    """One Engine.IO session. `link` is its websocket once it has one; before that, packets wait in the queue."""

    def __init__(self, server: "Engine", sid: str) -> None:
        super().__init__(server, sid)
        self.link: Link | None = None
        self.write_frame: Callable[[bytes], None] | None = None
        """Straight to the websocket's transport; None when a frame has to go through `write`."""
        self.address = ""
        self.user: Any = None
        """The Socket.IO connection on top, set by the protocol's server."""
        self._timer: asyncio.TimerHandle | None = None
        self._bad_packets = 0
        self._queued_bytes = 0
        self._inbox: list[str] = []
        self._worker: asyncio.Task[None] | None = None
        self.ended = False
        """Nothing more comes in or is written; a polling client may still fetch its last packets."""

    # ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, encoded: wire.Encoded) -> None:
        """The hot path: one Socket.IO packet that was encoded for everybody."""
        if self.link is not None:
            self.link.write(encoded.frame)
        elif not self.ended:
            self._enqueue(packet.Packet(packet.MESSAGE, encoded.packet.decode()), len(encoded.packet))

    async def send(self, pkt: Any) -> None:
        if self.ended:
            raise exceptions.SocketIsClosedError
        if self.link is not None:
            self.link.write(wire.frame(pkt.encode().encode()))
        else:
            self._enqueue(pkt, 64)

    def _enqueue(self, pkt: Any, size: int) -> None:
        self._queued_bytes += size
        if self._queued_bytes > self.server.settings.max_buffer_bytes:
            CLOSED_SLOW.inc()
            asyncio.get_running_loop().call_soon(self.end)  # not under whoever walks a room
            return
        self.queue.put_nowait(pkt)

    async def poll(self) -> Any:
        packets = await super().poll()
        self._queued_bytes = 0
        if self.ended:
            self._forget()
        return packets

    # ── in ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def on_text(self, link: Link, text: str) -> None:
        """A websocket message: one Engine.IO packet."""
        if link is not self.link:
            self._on_upgrade_packet(link, text)
        elif text[:1] == "4":
            self._on_message(text[1:])
        elif text == "3":
            self._on_pong()
        elif text == "1":
            self.end()
        else:
            self.count_bad_packet()

    def on_binary(self) -> None:
        """Binary attachments are announced in packets that we refuse: their frames are dropped."""
        self.count_bad_packet()

    async def receive(self, pkt: Any) -> None:
        """A packet by polling."""
        if pkt.packet_type == packet.MESSAGE and isinstance(pkt.data, str):
            self._on_message(pkt.data)
        elif pkt.packet_type == packet.MESSAGE and not pkt.binary:
            self._on_message(wire.dumps(pkt.data))
        elif pkt.packet_type == packet.PONG:
            self._on_pong()
        elif pkt.packet_type == packet.CLOSE:
            self.end()
        else:
            self.count_bad_packet()

    def count_bad_packet(self) -> None:
        """What is not of the protocol is dropped; who goes on sending it is closed."""
        self._bad_packets += 1
        if self._bad_packets > MAX_BAD_PACKETS:
            self.end(WSCloseCode.PROTOCOL_ERROR, "too many malformed packets")

    def _on_message(self, text: str) -> None:
        """Events of one socket are handled in order, one by one, by a worker that exists while there are any."""
        if self.ended:
            return
        if len(self._inbox) >= self.server.settings.max_event_queue:
            self.end(WSCloseCode.TRY_AGAIN_LATER, "too many events at once")
            return
        self._inbox.append(text)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())

    async def _work(self) -> None:
        try:
            while self._inbox and not self.ended:
                await self.server.on_message(self, self._inbox.pop(0))
        finally:
            self._worker = None

    def _on_upgrade_packet(self, link: Link, text: str) -> None:
        if text == "2probe":
            link.write(PONG_PROBE)
            self.upgrading = True
            self.queue.put_nowait(packet.Packet(packet.NOOP))  # ends the poll that is open
        elif text == "5" and self.upgrading and self.link is None:
            self._take_link(link)
        else:
            link.close(WSCloseCode.PROTOCOL_ERROR, "unexpected packet in the upgrade")

    def _take_link(self, link: Link) -> None:
        self.link, self.upgrading, self.upgraded = link, False, True
        self.write_frame = link.direct_writer()
        while not self.queue.empty():
            pkt = self.queue.get_nowait()
            if pkt is not None and pkt.packet_type != packet.NOOP:
                link.write(wire.frame(pkt.encode().encode()))
        self._queued_bytes = 0

    def begin_with(self, link: Link) -> None:
        """A session that begins on a websocket."""
        self.connected = self.upgraded = True
        self.link = link
        self.write_frame = link.direct_writer()

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def schedule_ping(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self.server.ping_interval, self._ping)

    def _ping(self) -> None:
        if self.ended:
            return
        if self.link is not None:
            self.link.write(PING)
        else:
            self.queue.put_nowait(packet.Packet(packet.PING))
        self._timer = asyncio.get_running_loop().call_later(self.server.ping_timeout, self.abort)

    def _on_pong(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self.schedule_ping()

    async def check_ping_timeout(self) -> bool:
        """The library's own check; ours is the timer."""
        return not self.closed

    def on_link_lost(self, link: Link) -> None:
        if link is self.link:
            self.end()
        elif self.upgrading:
            self.upgrading = False  # the probe failed: polling goes on

    def on_pace(self, link: Link) -> None:
        if link is self.link and not self.ended:
            self.write_frame = link.direct_writer()

    def end(self, code: WSCloseCode = WSCloseCode.OK, reason: str = "") -> None:
        """Close the session and its transport. Does nothing the second time."""
        if self.ended:
            return
        self.ended = True
        self.write_frame = None
        if self._timer is not None:
            self._timer.cancel()
        self._inbox.clear()
        self.server.on_closed(self)
        if self.link is not None:
            self.link.close(code, reason)
            self._forget()
        else:
            self.queue.put_nowait(packet.Packet(packet.CLOSE))
            self.queue.put_nowait(None)
            asyncio.get_running_loop().call_later(LAST_POLL_S, self._forget)

    def _forget(self) -> None:
        self.closed = True
        self.link = None
        self.server.sockets.pop(self.sid, None)

    def abort(self) -> None:
        """The peer is gone or does not answer: no goodbye."""
        link = self.link
        self.end()
        if link is not None:
            link.abort()
        self._forget()

    async def close(self, wait: bool = True, abort: bool = False, reason: Any = None) -> None:
        """The library's way to end a polling session."""
        self.end()


class Engine(engineio.AsyncServer):  # type: ignore[misc]
    """The Engine.IO server of one gateway."""

    settings: Settings
    on_message: Callable[[EngineSocket, str], Awaitable[None]]
    on_closed: Callable[[EngineSocket], None]
    draining = False

    def generate_id(self) -> str:
        return f"{self.settings.gateway_number}-{secrets.token_urlsafe(15)}"

    @staticmethod
    def parse_query(query: str) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(query[:2048], max_num_fields=20).items()}

    def check_upgrade(self, query: dict[str, str], origin: str | None, host: str | None) -> None:
        """Raises what the upgrade request is refused with."""
        if query.get("transport") != "websocket":
            raise MalformedError("Only the websocket transport can be upgraded to.")
        if not self.is_allowed_origin(origin, host):
            raise ForbiddenError("This origin may not connect.")
        if "sid" in query:
            waiting = self.sockets.get(query["sid"])
            if waiting is None or waiting.link is not None or waiting.ended:
                raise NotFoundError("There is no such session.")
        elif query.get("EIO") != "4":
            raise MalformedError("Engine.IO version 4 is needed.")
        elif self.draining:
            raise DrainingError

    def is_allowed_origin(self, origin: str | None, host: str | None) -> bool:
        """The page's own host, or one of the settings' list; a client that is no browser sends none."""
        if origin is None or "*" in self.settings.allowed_origins or origin in self.settings.allowed_origins:
            return True
        return urlsplit(origin).netloc == host

    def _cors_allowed_origins(self, environ: dict[str, Any]) -> list[str]:
        origin, host = environ.get("HTTP_ORIGIN"), environ.get("HTTP_HOST")
        return [origin] if origin and self.is_allowed_origin(origin, host) else []

    def open_link(self, link: Link, query: dict[str, str]) -> None:
        """A websocket was accepted: the begin of a session, or the upgrade of one."""
        if "sid" in query:
            waiting = self.sockets.get(query["sid"])
            if waiting is None or waiting.ended:
                link.abort()
            else:
                link.session = waiting
            return
        opened = self._new_socket(link.address)
        link.session = opened
        opened.begin_with(link)
        link.write(wire.frame(b"0" + orjson.dumps(self._handshake(opened, upgrades=[]))))
        opened.schedule_ping()

    async def _handle_connect(self, environ: dict[str, Any], transport: str, jsonp_index: int | None = None) -> Any:
        """The library's entry for a session that begins with polling."""
        if self.draining or transport != "polling":
            return {"status": "503 SERVICE UNAVAILABLE", "headers": [("Retry-After", "1")], "response": b""}
        address = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")[-1].strip()
        opened = self._new_socket(address)
        opened.connected = True
        opened.schedule_ping()
        handshake = packet.Packet(packet.OPEN, self._handshake(opened, upgrades=["websocket"]))
        return self._ok([handshake], jsonp_index=jsonp_index)

    def _new_socket(self, address: str) -> EngineSocket:
        opened = EngineSocket(self, self.generate_id())
        opened.address = address
        self.sockets[opened.sid] = opened
        asyncio.get_running_loop().call_later(self.settings.connect_timeout_s, self._end_unless_connected, opened)
        return opened

    @staticmethod
    def _end_unless_connected(opened: EngineSocket) -> None:
        if opened.user is None:
            opened.end(WSCloseCode.POLICY_VIOLATION, "not connected in time")

    def _handshake(self, opened: EngineSocket, upgrades: list[str]) -> dict[str, Any]:
        return {
            "sid": opened.sid,
            "upgrades": upgrades,
            "pingInterval": self.settings.ping_interval_s * 1000,
            "pingTimeout": self.settings.ping_timeout_s * 1000,
            "maxPayload": self.settings.max_frame_bytes,
        }

    @staticmethod
    def count_slow() -> None:
        CLOSED_SLOW.inc()
