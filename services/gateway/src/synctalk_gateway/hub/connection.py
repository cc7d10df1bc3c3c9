"""One authenticated socket, and what the gateway knows of it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from synctalk_gateway.protocol.engine import EngineSocket
from synctalk_gateway.protocol.wire import Encoded

MAX_HELD = 5_000


@dataclass(slots=True, eq=False)
class Connection:
    id: str
    user_id: str
    session_id: str
    expires_at: float
    """Unix time at which the token ends, seconds."""
    socket: EngineSocket
    rooms: set[str] = field(default_factory=set)
    """The conversations in whose rooms it is."""
    watching: set[str] = field(default_factory=set)
    """People whose presence it is told."""
    strangers: set[str] = field(default_factory=set)
    """People it asked for and shares no conversation with: asked again when that may have changed."""
    typing: dict[str, float] = field(default_factory=dict)
    """When it was last published, by conversation, that this socket types; monotonic seconds."""
    timer: asyncio.TimerHandle | None = None
    """The next step of the token's end."""
    held: list[tuple[str | None, int | None, Encoded]] | None = None
    """While joining: (conversation, change_seq, packet) that wait."""
    holds: int = 0

    def send(self, packet: Encoded, conversation_id: str | None = None, change_seq: int | None = None) -> None:
        if self.held is None:
            self.socket.write(packet)
        elif len(self.held) < MAX_HELD:
            self.held.append((conversation_id, change_seq, packet))
        else:
            asyncio.get_running_loop().call_soon(self.socket.end)  # not under whoever walks a room

    def hold(self) -> None:
        """Let events wait; each hold is ended by one release."""
        self.holds += 1
        if self.held is None:
            self.held = []

    def release(self, floors: dict[str, int], first: Sequence[Encoded] = ()) -> None:
        """Send `first`, forget those waiting events that the state up to `floors` contained, send the others.

        While another hold lasts, they all go on waiting.
        """
        if self.held is None:
            return
        self.held = [
            entry for entry in self.held if entry[0] is None or entry[1] is None or entry[1] > floors.get(entry[0], -1)
        ]
        self.held[:0] = [(None, None, packet) for packet in first]
        self.holds -= 1
        if self.holds == 0:
            waiting, self.held = self.held, None
            for _, _, packet in waiting:
                self.socket.write(packet)
