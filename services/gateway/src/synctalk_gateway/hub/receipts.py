"""Receipts of a room with many sockets, collected: the latest of each user, a bounded number of packets a second.

Where everybody reads each message, its receipts would be as many as the room has sockets, to each of them: a hundred
million in a group of 10,000. So they wait here, in the sequence in which their users came, and all that a moment sends
to a socket leaves in one write. A user has one waiting receipt, however much they read meanwhile.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence

from synctalk_gateway.hub.sequencer import Event

INTERVAL_S = 1.0
PACKETS_PER_S = 10_000
"""Of one room, to all its sockets together: about a tenth of a core."""


class ReceiptChanges:
    """Calls `send` with the receipts whose turn it is; while paused with none."""

    __slots__ = ("_paused", "_send", "_sockets", "_timer", "_waiting")

    def __init__(self, sockets: Collection[object], send: Callable[[Sequence[Event]], None]) -> None:
        self._sockets = sockets
        self._send = send
        self._waiting: dict[str, Event] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._paused = False

    def accept(self, event: Event) -> None:
        self._waiting[event["user_id"]] = event
        self._schedule()

    def _schedule(self) -> None:
        if self._timer is None and self._waiting and not self._paused:
            # With more sockets than packets a second, one receipt takes longer.
            pause = max(INTERVAL_S, len(self._sockets) / PACKETS_PER_S)
            self._timer = asyncio.get_running_loop().call_later(pause, self._send_next)

    def _send_next(self) -> None:
        self._timer = None
        most = max(1, int(PACKETS_PER_S * INTERVAL_S) // max(1, len(self._sockets)))
        users = [user_id for user_id, _ in zip(self._waiting, range(most), strict=False)]
        self._send([self._waiting.pop(user_id) for user_id in users])
        self._schedule()

    def pause(self) -> None:
        self._paused = True
        self._stop_timer()

    def resume(self) -> None:
        self._paused = False
        self._schedule()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    close = pause
