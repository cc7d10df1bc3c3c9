"""One Engine.IO session: its transport, its queues in both directions, its limit, its heartbeat and its end.

From the upgrade on everything is written to the websocket and nothing to polls, so that order holds. A packet beyond
the limit of its socket or user reaches no handler; an event among them is answered.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import structlog
from picows import WSCloseCode

from synctalk_gateway.errors import FloodingUserError, TooManyPacketsError
from synctalk_gateway.protocol import wire
from synctalk_gateway.protocol.candidate import Candidate
from synctalk_gateway.protocol.heartbeat import Heartbeat
from synctalk_gateway.protocol.inbox import Inbox, Item
from synctalk_gateway.protocol.outbox import Outbox
from synctalk_gateway.protocol.packet_limits import PacketLimit, UserLimits
from synctalk_gateway.protocol.websocket import CLOSE_WAIT_S, CLOSED_SLOW, WebSocketConnection
from synctalk_gateway.settings import Settings

log = structlog.get_logger()


CLOSE, PING, PONG = "1", "2", "3"
PING_FRAME = wire.frame(PING.encode())

MAX_BAD_PACKETS = 20
LAST_POLL_S = 10
"""How long a polling client may take to fetch its last packets."""

CROSSING_POLL_S = 1
"""How long a poll may take that was sent together with the client's own close."""

FLOOD_CLOSE_WAIT_S = 0.5
FLOOD_UNREAD_S = 1.0
"""How long a socket beyond its limit may leave unread what it was sent."""

RETRY_AFTER_S = 1.0
"""When an event beyond the limit may be sent again; by then there are tokens for a second's worth of them."""

EVENT_WITH_ACK = re.compile(r"42(\d{1,10})\[")
REFUSAL = {"ok": False, **TooManyPacketsError(retry_after=RETRY_AFTER_S, details={"limit": "packets"}).body()}


class Engine(Protocol):
    """The Engine.IO server, as far as its sessions use it."""

    settings: Settings
    users: UserLimits
    on_message: "Callable[[EngineSocket, str], Awaitable[None]]"
    on_ended: "Callable[[EngineSocket], None]"

    def on_authenticated(self, session: "EngineSocket") -> None:
        """Count the session as pending no longer."""

    def forget(self, session: "EngineSocket") -> None:
        """Remove the session."""


class EngineSocket:
    """One Engine.IO session. Until it has a `websocket`, packets wait in the outbox for polls."""

    def __init__(self, engine: Engine, sid: str, address: str) -> None:
        settings = engine.settings
        self._engine = engine
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self.sid = sid
        self.address = address
        self.websocket: WebSocketConnection | None = None
        self.write_frame: Callable[[bytes], None] | None = None
        """Straight to the websocket's transport; None when a frame has to go through `write`."""
        self.client: Any = None
        """The Socket.IO connection on top, once CONNECT was accepted."""
        self.connect_asked = False
        """CONNECT came; it may come once."""
        self.pending = True
        """Not authenticated yet, as admission counts it."""
        self.posting = False
        """A polling body is being taken."""
        self.ended = False
        """Nothing more comes in or is written; a polling client may still fetch its last packets."""
        self.inbox = Inbox(self, settings.max_event_queue, settings.max_event_queue_bytes)
        self.outbox = Outbox(settings.max_buffer_bytes)
        self.heartbeat = Heartbeat(
            settings.ping_interval_s, settings.ping_timeout_s, self._ping, self._is_behind, self.abort
        )
        self.candidate = Candidate(settings.upgrade_timeout_s, self.outbox.wake, self._upgrade_to)
        self._limit = PacketLimit(settings, self._loop.time())
        self._bad_packets = 0
        self._connect_timer = self._loop.call_later(settings.connect_timeout_s, self._end_unconnected)
        self._unread_timer: asyncio.TimerHandle | None = None

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, encoded: wire.Encoded) -> None:
        """Write one Socket.IO packet, which may be encoded for many sockets."""
        if self.websocket is not None:
            self.websocket.write(encoded.frame)
        elif not self.ended:
            self._enqueue("4" + encoded.packet.decode())

    def _enqueue(self, packet: str) -> None:
        if not self.outbox.put(packet):
            CLOSED_SLOW.inc()
            self._loop.call_soon(self.end)  # not at once: the caller may be iterating over a room's sockets
            return
        if self.outbox.is_filling():
            self.inbox.pause()

    # ── packets ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def on_text(self, websocket: WebSocketConnection, text: str) -> None:
        """Take a websocket message: one Engine.IO packet."""
        if websocket is self.websocket:
            self.on_packet(text)
        elif self._take_token():
            self.candidate.on_text(websocket, text)

    def on_binary(self) -> None:
        """Drop a binary message, which would be the attachment of a packet that is refused."""
        if self._take_token():
            self.count_bad_packet()

    def on_control(self) -> None:
        """Count a ping or pong of the websocket itself."""
        self._take_token()

    def on_packet(self, text: str) -> None:
        """Take one Engine.IO packet of either transport."""
        if self.ended:
            return
        if text == CLOSE:
            self.end(by_client=True)
        elif text == PONG and self.heartbeat.pong_due:
            self.heartbeat.on_pong()
        elif not self._take_token():
            self._refuse(text)
        elif text[:1] == "4":
            self.inbox.put(text[1:])
        elif text != PONG:
            self.count_bad_packet()

    def _take_token(self) -> bool:
        if self.ended:
            return False
        if self._limit.take(self._loop.time()):
            return True
        if self._limit.is_flood:
            self.end(WSCloseCode.TRY_AGAIN_LATER, "too many packets", wait_s=FLOOD_CLOSE_WAIT_S)
        return False

    def _refuse(self, text: str) -> None:
        """Answer an event beyond the limit, in its turn; drop what wants no answer."""
        wanted = EVENT_WITH_ACK.match(text)
        if wanted is not None and self.client is not None:
            self.inbox.put(wire.ack(int(wanted[1]), REFUSAL))

    def count_bad_packet(self) -> None:
        """Count a packet that is not of the protocol and was dropped; close after too many."""
        self._bad_packets += 1
        if self._bad_packets > MAX_BAD_PACKETS:
            self.end(WSCloseCode.PROTOCOL_ERROR, "too many malformed packets")

    async def handle(self, item: Item) -> None:
        """Handle one item of the inbox."""
        if self.ended:
            return
        if isinstance(item, wire.Encoded):
            self.write(item)
        else:
            await self._engine.on_message(self, item)

    def on_worker_died(self, error: BaseException | None) -> None:
        """Close the socket, which would be silent without its worker; its client comes back."""
        if not self.ended:
            log.error("socket.worker_died", error=type(error).__name__, exc_info=error)
            self.end(WSCloseCode.INTERNAL_ERROR, "internal error")

    # ── flow control ─────────────────────────────────────────────────────────────────────────────────────────────────

    def is_full(self) -> bool:
        """Return whether what was read has to be handled before more is read."""
        return self.inbox.full

    def pause_s(self, dropped: int = 0) -> float:
        """Return for how long not to read, for the packets that were refused since this was last asked."""
        return self._limit.pause_s(dropped, self._loop.time())

    def on_space(self) -> None:
        """Read on, since the inbox has space again."""
        if self.websocket is not None:
            self.websocket.update_reading()

    def on_write_state(self, websocket: WebSocketConnection) -> None:
        """Handle no events while their acks are left unread."""
        if websocket is not self.websocket or self.ended:
            return
        self.write_frame = websocket.direct_writer()
        self._stop_unread_timer()
        if not websocket.slow:
            self.inbox.resume()
            return
        self.inbox.pause()
        wait_s = self._settings.unread_timeout_s
        if self._limit.is_exceeded(self._loop.time()):
            wait_s = min(FLOOD_UNREAD_S, wait_s)
        self._unread_timer = self._loop.call_later(wait_s, self._abort_unread)

    def _stop_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _abort_unread(self) -> None:
        """Cut off a peer that leaves unread what it was sent."""
        CLOSED_SLOW.inc()
        self.abort()

    # ── upgrade ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def begin_upgrade(self, websocket: WebSocketConnection) -> None:
        """Let a websocket try to become the transport of this polling session."""
        websocket.session = self
        self.candidate.begin(websocket)

    def _upgrade_to(self, websocket: WebSocketConnection) -> None:
        self.use(websocket)
        self.outbox.wake()
        for packet in self.outbox.take():
            websocket.write(wire.frame(packet.encode()))
        self.on_write_state(websocket)

    def use(self, websocket: WebSocketConnection) -> None:
        """Make the websocket this session's transport."""
        self.websocket = websocket
        websocket.session = self
        self.write_frame = websocket.direct_writer()

    def on_websocket_lost(self, websocket: WebSocketConnection) -> None:
        """End the session with its websocket, or an upgrade with the one that tried."""
        if websocket is self.websocket:
            self.end()
        else:
            self.candidate.give_up(websocket, "")

    # ── beginning and end ────────────────────────────────────────────────────────────────────────────────────────────

    def _ping(self) -> None:
        if self.websocket is not None:
            self.websocket.write(PING_FRAME)
        else:
            self._enqueue(PING)

    def _is_behind(self) -> bool:
        """Return whether the pong may be among what was not read yet."""
        if self.inbox.full and not self.inbox.paused:
            return True
        return self.websocket is not None and self.websocket.paused

    def _end_unconnected(self) -> None:
        self.end(WSCloseCode.POLICY_VIOLATION, "not connected in time")

    def identify(self, user_id: str) -> None:
        """Count what this socket sends for its user. Raise FloodingUserError when the user is refused for a while."""
        now = self._loop.time()
        user = self._engine.users.of(user_id, now)
        if user.is_blocked(now):
            raise FloodingUserError
        self._limit.share(user)

    def authenticated(self, client: Any) -> None:
        """Set the Socket.IO connection, which was let in."""
        self.client = client
        self._connect_timer.cancel()
        if self.pending:
            self.pending = False
            self._engine.on_authenticated(self)

    def end(
        self,
        code: WSCloseCode = WSCloseCode.OK,
        reason: str = "",
        *,
        wait_s: float = CLOSE_WAIT_S,
        by_client: bool = False,
    ) -> None:
        """Close the session and its transports. Do nothing the second time."""
        if self.ended:
            return
        self.ended = True
        self.write_frame = None
        self.heartbeat.stop()
        self._connect_timer.cancel()
        self._stop_unread_timer()
        self.inbox.clear()
        self._engine.on_ended(self)
        self.candidate.end()
        if self.websocket is not None:
            self.websocket.close(code, reason, wait_s)
            self.forget()
            return
        if not by_client:
            self.outbox.put(CLOSE)
        self.outbox.wake()
        lingers_s = CROSSING_POLL_S if by_client else LAST_POLL_S
        self._loop.call_later(lingers_s, self.forget)

    def forget(self) -> None:
        """Drop the transport and what a polling client might still have fetched."""
        self.websocket = None
        self._engine.forget(self)

    def abort(self) -> None:
        """End the session without waiting for the peer, which is gone or does not answer."""
        websocket = self.websocket
        self.end(by_client=True)
        if websocket is not None:
            websocket.abort()
        self.forget()
