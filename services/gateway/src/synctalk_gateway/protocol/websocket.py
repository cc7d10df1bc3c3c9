"""A websocket: a listener of picows that hands text to an Engine.IO session, and writes frames to the transport.

There is no ASGI application and no task per websocket. A peer is read in small pieces, and no faster than its session
takes them: what it sends without end stays in its own kernel's buffers. RFC 6455 without permessage-deflate, which
doubles the memory of an idle socket.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport
from prometheus_client import Counter

from synctalk_gateway.protocol.buckets import TokenBucket
from synctalk_gateway.protocol.fragments import FragmentError, Fragments
from synctalk_gateway.settings import Settings

USER_TIMEOUT_MS = 15_000
"""A peer that acknowledges nothing for this long is gone (Linux tcp(7), TCP_USER_TIMEOUT)."""

CLOSE_WAIT_S = 2.0
FRAMES_PER_TURN = 16
"""More frames in one read than this, and the other sockets have their turn before the next read."""

PINGS_PER_S, PING_BURST = 2, 10
"""Websocket pings that are answered; no client of ours sends any."""


CLOSED_SLOW = Counter("gateway_slow_sockets_total", "Sockets cut off because they did not read.")


class Session(Protocol):
    """The Engine.IO session whose packets a websocket carries."""

    connect_asked: bool
    """CONNECT came."""

    def on_text(self, websocket: "WebSocketConnection", text: str) -> None:
        """Take one packet."""

    def on_binary(self) -> None:
        """Count a binary message, none of which is taken."""

    def on_control(self) -> None:
        """Count a ping or pong of the websocket itself."""

    def on_websocket_lost(self, websocket: "WebSocketConnection") -> None:
        """Note that the websocket is gone."""

    def on_write_state(self, websocket: "WebSocketConnection") -> None:
        """Note that the peer reads too slowly, or fast enough again."""

    def is_full(self) -> bool:
        """Return whether what was read has to be handled before more is read."""

    def pause_s(self, dropped: int = 0) -> float:
        """Return for how long not to read, since packets of the last read were refused, or dropped by the websocket."""


class WebSocketConnection(WSListener):
    """One websocket, from its upgrade to its end. `on_open` gives it its session."""

    def __init__(
        self, settings: Settings, address: str, edge: str, on_open: "Callable[[WebSocketConnection], None]"
    ) -> None:
        self._settings = settings
        self._on_open: Callable[[WebSocketConnection], None] | None = on_open
        self.address = address
        self.edge = edge
        """The edge that it came through, as that names itself; empty where there is none."""
        self.session: Session | None = None
        self.slow = False
        """The peer leaves unread what it was sent."""
        self._fragments = Fragments(settings.max_message_fragments, settings.max_frame_bytes)
        self._pings: TokenBucket | None = None
        self._frames = 0
        """Of the read that is being parsed."""
        self._dropped = 0
        """Frames of that read that came after the close frame was sent."""
        self._unfinished = 0
        """Bytes read since the last whole frame."""
        self._reading = True
        self.paused = False
        """Nothing is read until a timer ends the pause."""
        self._transport: WSTransport | None = None
        self._tcp: asyncio.Transport | None = None

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self._tcp = transport.underlying_transport
        options = transport.underlying_transport.get_extra_info("socket")
        options.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, USER_TIMEOUT_MS)
        on_open, self._on_open = self._on_open, None
        assert on_open is not None
        on_open(self)

    # ── frames ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def admits(self, size: int) -> bool:
        """Return whether `size` more bytes may be parsed; a frame that is not whole yet stays in memory.

        Close when a frame is longer than one may be before CONNECT.
        """
        self._unfinished += size
        if self._unfinished <= self._settings.max_connect_bytes or self._is_connecting():
            return True
        self.close(WSCloseCode.MESSAGE_TOO_BIG, "too much before CONNECT")
        return False

    def _is_connecting(self) -> bool:
        """Return whether CONNECT has come; events may follow it before it is answered."""
        return self.session is not None and self.session.connect_asked

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._frames += 1
        self._unfinished = 0
        kind = frame.msg_type
        if kind == WSMsgType.CLOSE:
            self._finish()
        elif transport.is_close_frame_sent:
            self._dropped += 1
        else:
            self._on_frame(kind, frame)
        if frame.last_in_buffer:
            self._end_read()

    def _on_frame(self, kind: WSMsgType, frame: WSFrame) -> None:
        if kind == WSMsgType.TEXT and frame.fin and not self._fragments.open:
            self._on_text(frame.get_payload_as_bytes())
        elif kind in (WSMsgType.PING, WSMsgType.PONG):
            self._on_control(kind, frame)
        elif kind == WSMsgType.BINARY and frame.fin and not self._fragments.open:
            self._on_message(kind, b"")
        else:
            self._on_fragment(kind, frame)

    def _on_fragment(self, kind: WSMsgType, frame: WSFrame) -> None:
        try:
            message = self._fragments.add(kind, frame.get_payload_as_bytes(), bool(frame.fin))
        except FragmentError as error:
            self.close(error.code, error.reason)
            return
        if message is not None:
            self._on_message(*message)

    def _on_message(self, kind: WSMsgType, data: bytes) -> None:
        if kind == WSMsgType.TEXT:
            self._on_text(data)
        elif self.session is not None:
            self.session.on_binary()

    def _on_text(self, data: bytes) -> None:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            self.close(WSCloseCode.INVALID_TEXT, "not UTF-8")
            return
        if self.session is not None:
            self.session.on_text(self, text)

    def _on_control(self, kind: WSMsgType, frame: WSFrame) -> None:
        """Answer a few pings; picows itself would queue a pong for every one."""
        if self.session is not None:
            self.session.on_control()
        if kind != WSMsgType.PING:
            return
        now = asyncio.get_running_loop().time()
        if self._pings is None:
            self._pings = TokenBucket(PINGS_PER_S, PING_BURST, now)
        if self._pings.take(now):
            payload = frame.get_payload_as_bytes()
            self.write(bytes((0x8A, len(payload))) + payload)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _end_read(self) -> None:
        """Pause when packets were refused or dropped; after many frames read on in the loop's next turn."""
        frames, dropped, self._frames, self._dropped = self._frames, self._dropped, 0, 0
        pause_s = self.session.pause_s(dropped) if self.session is not None else 0.0
        if self.paused or not (pause_s or frames > FRAMES_PER_TURN):
            return
        self.paused = True
        asyncio.get_running_loop().call_later(pause_s, self._end_pause)
        self.update_reading()

    def _end_pause(self) -> None:
        self.paused = False
        self.update_reading()

    def update_reading(self) -> None:
        """Read while the session has space; once the close frame is sent, read and drop until the peer closes too."""
        tcp, transport = self._tcp, self._transport
        if tcp is None or transport is None or tcp.is_closing():
            return
        full = self.session is not None and self.session.is_full() and not transport.is_close_frame_sent
        if (reading := not self.paused and not full) == self._reading:
            return
        self._reading = reading
        if reading:
            tcp.resume_reading()
        else:
            tcp.pause_reading()

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def pause_writing(self) -> None:
        self.slow = True
        if self.session is not None:
            self.session.on_write_state(self)

    def resume_writing(self) -> None:
        self.slow = False
        if self.session is not None:
            self.session.on_write_state(self)

    def direct_writer(self) -> Callable[[bytes], None] | None:
        """Return what writes a whole frame without a check, while the peer keeps up; fan-out calls nothing else."""
        return None if self.slow or self._tcp is None else self._tcp.write

    def write(self, frame: bytes) -> None:
        """Write a whole frame. Cut off a peer that leaves more than the bound unread; its client will sync."""
        tcp = self._tcp
        if tcp is None:
            return
        tcp.write(frame)
        if self.slow and tcp.get_write_buffer_size() > self._settings.max_buffer_bytes:
            CLOSED_SLOW.inc()
            tcp.abort()

    # ── closing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def on_ws_disconnected(self, _: WSTransport) -> None:
        if self.session is not None:
            self.session.on_websocket_lost(self)
        self.session = self._transport = self._tcp = None

    def close(self, code: WSCloseCode = WSCloseCode.OK, reason: str = "", wait_s: float = CLOSE_WAIT_S) -> None:
        """Send a close frame and wait until the peer has closed too; cut it off after `wait_s`.

        What it still sends meanwhile is read and dropped: for unread bytes the kernel would send a reset, and that
        overtakes the close frame.
        """
        if self._transport is None or self._tcp is None or self._transport.is_close_frame_sent:
            return
        self._transport.send_close(code, reason)
        asyncio.get_running_loop().call_later(wait_s, self._tcp.abort)
        self.update_reading()

    def _finish(self) -> None:
        """Close the transport, since the peer has sent its close frame."""
        self.close()
        if self._tcp is not None:
            self._tcp.close()

    def abort(self) -> None:
        if self._tcp is not None:
            self._tcp.abort()
