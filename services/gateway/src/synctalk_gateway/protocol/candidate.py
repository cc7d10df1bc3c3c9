"""The upgrade of a polling session: the one websocket that wants to take it over, from its handshake to `5`.

Its probe is answered once, it has a time to finish, and it ends with its session. A packet out of order ends the
upgrade and not the session: polling goes on.
"""

import asyncio
from collections.abc import Callable

from picows import WSCloseCode
from synctalk_runtime.errors import ConflictError

from synctalk_gateway.protocol import wire
from synctalk_gateway.protocol.websocket import WebSocketConnection

MAX_UPGRADES = 5
"""Tries of one session."""

PONG_PROBE = wire.frame(b"3probe")


class Candidate:
    """At most one websocket at a time. While it is `probed`, polls are answered with a NOOP."""

    __slots__ = ("_on_probe", "_take", "_timeout_s", "_tries", "_websocket", "probed")

    def __init__(
        self, timeout_s: float, on_probe: Callable[[], None], take: Callable[[WebSocketConnection], None]
    ) -> None:
        self._timeout_s = timeout_s
        self._on_probe = on_probe
        self._take = take
        self._websocket: WebSocketConnection | None = None
        self._tries = 0
        self.probed = False

    def check(self) -> None:
        """Raise ConflictError for a second websocket at a time, or one too many."""
        if self._websocket is not None or self._tries >= MAX_UPGRADES:
            raise ConflictError("This session has already tried to upgrade.")

    def begin(self, websocket: WebSocketConnection) -> None:
        self._websocket = websocket
        self._tries += 1
        asyncio.get_running_loop().call_later(self._timeout_s, self.give_up, websocket, "not upgraded in time")

    def give_up(self, websocket: WebSocketConnection, reason: str) -> None:
        """Close this websocket, if it is still the one."""
        if websocket is self._websocket:
            self._websocket, self.probed = None, False
            websocket.close(WSCloseCode.PROTOCOL_ERROR, reason)

    def end(self) -> None:
        """End the upgrade, since the session has ended."""
        if self._websocket is not None:
            self.give_up(self._websocket, "the session has ended")

    def on_text(self, websocket: WebSocketConnection, text: str) -> None:
        """Take a packet of a websocket that is not the session's yet."""
        if websocket is not self._websocket:
            return
        if text == "2probe":
            self._on_probe_packet(websocket)
        elif text == "5" and self.probed:
            self._websocket, self.probed = None, False
            self._take(websocket)
        else:
            self.give_up(websocket, "unexpected packet in the upgrade")

    def _on_probe_packet(self, websocket: WebSocketConnection) -> None:
        if not self.probed:
            self.probed = True
            websocket.write(PONG_PROBE)
            self._on_probe()
