"""One authenticated socket, what the gateway knows of it, and the only way in which anything is written to it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from picows import WSCloseCode
from synctalk_runtime.background import wait

from synctalk_gateway.hub import packets
from synctalk_gateway.protocol.engine_socket import EngineSocket
from synctalk_gateway.protocol.wire import Encoded

MAX_BUFFERED = 5_000
"""Events that wait while a connection is paused; beyond that it is closed, and syncs when it is back."""


@dataclass(frozen=True, slots=True)
class Typed:
    thread_id: str | None
    """None: in the conversation itself."""
    published_at: float
    """Monotonic seconds."""


@dataclass(slots=True, eq=False)
class Connection:
    id: str
    user_id: str
    session_id: str
    expires_at: float
    """Unix time at which the token ends, seconds."""
    socket: EngineSocket
    key_id: str = ""
    """The key that signed the token."""
    is_bot: bool = False
    """Presence does not know of it: a bot is not online because it is connected."""
    rooms: set[str] = field(default_factory=set)
    """The conversations in whose rooms it is."""
    watching: set[str] = field(default_factory=set)
    """Users whose presence changes it gets."""
    unrelated: set[str] = field(default_factory=set)
    """Users it subscribed to and shares no conversation with: asked for again when that may have changed."""
    direct: set[str] = field(default_factory=set)
    """Those it watches with whom its user shares a direct conversation."""
    last_seen_visible: str = "everyone"
    """To whom its user shows when they were last seen: of others they see it alike."""
    follows_own: bool = False
    """The presence channel of its user is subscribed, for the line above."""
    refresh_pending: bool = False
    """Its presence subscriptions are about to be refreshed."""
    typing: dict[str, Typed] = field(default_factory=dict)
    """Where this socket types, by conversation: in one place of each."""
    active: bool = True
    """Its user is active on this client, as far as it has reported."""
    ready: bool = False
    """`ready` was sent."""
    joining: bool = False
    """The rooms that `ready` did not name are being joined."""
    partial: bool = False
    """Its user is in conversations whose rooms it will not join by itself: they are joined when they wake up."""
    timer: asyncio.TimerHandle | None = None
    """The next step of the token's end."""
    buffer: list[tuple[str | None, int | None, Encoded]] | None = None
    """While paused: (conversation, change_seq, packet) that wait."""
    _pauses: int = 0
    _entered: dict[str, asyncio.Event] = field(default_factory=dict)

    # ── rooms ────────────────────────────────────────────────────────────────────────────────────────────────────

    def enter(self, conversation_id: str) -> None:
        """Note that it is in a room now."""
        self.rooms.add(conversation_id)
        entered = self._entered.pop(conversation_id, None)
        if entered is not None:
            entered.set()

    async def entered(self, conversation_id: str, within_s: float) -> bool:
        """Return whether it is in that room, at the latest after `within_s`."""
        if conversation_id in self.rooms:
            return True
        entered = self._entered.setdefault(conversation_id, asyncio.Event())
        if not await wait(entered, within_s):
            self._entered.pop(conversation_id, None)
        return conversation_id in self.rooms

    # ── out ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def send(self, packet: Encoded, conversation_id: str | None = None, change_seq: int | None = None) -> None:
        """Write a packet, or let it wait while the connection is paused."""
        if self.buffer is None:
            self.socket.write(packet)
        elif len(self.buffer) < MAX_BUFFERED:
            self.buffer.append((conversation_id, change_seq, packet))
        else:
            asyncio.get_running_loop().call_soon(self.socket.end)  # not under a loop over the room's sockets

    def pause(self) -> None:
        """Let events wait; each pause is ended by one `resume`."""
        self._pauses += 1
        if self.buffer is None:
            self.buffer = []

    def resume(self, reached: Mapping[str, int], first: Sequence[Encoded] = ()) -> None:
        """Send `first`, drop those waiting events that the state up to `reached` contained, send the others.

        `reached` is a `change_seq` by conversation. While another pause lasts, they all go on waiting.
        """
        if self.buffer is None:
            return
        self.buffer = [
            entry
            for entry in self.buffer
            if entry[0] is None or entry[1] is None or entry[1] > reached.get(entry[0], -1)
        ]
        self.buffer[:0] = [(None, None, packet) for packet in first]
        self._pauses -= 1
        if self._pauses == 0:
            waiting, self.buffer = self.buffer, None
            for _, _, packet in waiting:
                self.socket.write(packet)

    def start(self, ready: Encoded, reached: Mapping[str, int]) -> None:
        """Send `ready` before everything that waits, and end the pause of the handshake."""
        self.ready = True
        self.socket.write(ready)
        self.resume(reached)

    # ── end ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def closed(self) -> bool:
        return self.socket.ended

    def close(self, code: WSCloseCode, reason: str) -> None:
        """Close the transport: stock clients come back."""
        self.socket.end(code, reason)

    def disconnect(self, last: Encoded) -> None:
        """Send a last packet, whatever waits, and disconnect: stock clients stay away."""
        self.socket.write(last)
        self.socket.write(packets.DISCONNECT)
        self.socket.end()
