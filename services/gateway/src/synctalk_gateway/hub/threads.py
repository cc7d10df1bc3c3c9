"""What root messages say of their threads, sent to a room's sockets twice a second at most: the latest of each."""

import asyncio
from collections.abc import Callable

from synctalk_gateway.hub.sequencer import Event

INTERVAL_S = 0.5
"""Between two of one thread."""


class ThreadChanges:
    """Calls `send` with the events of each thread: the first at once, of those that follow soon the latest.

    While paused nothing is sent; the latest is sent when it resumes.
    """

    __slots__ = ("_paused", "_send", "_timers", "_waiting")

    def __init__(self, send: Callable[[Event], None]) -> None:
        self._send = send
        self._waiting: dict[str, Event] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._paused = False

    def accept(self, event: Event) -> None:
        thread_id = event["payload"]["thread_id"]
        known = self._waiting.get(thread_id)
        if known is None or known["payload"]["change_seq"] <= event["payload"]["change_seq"]:
            self._waiting[thread_id] = event
        if thread_id not in self._timers:
            self._send_latest(thread_id)

    def _send_latest(self, thread_id: str) -> None:
        self._timers.pop(thread_id, None)
        if self._paused or (event := self._waiting.pop(thread_id, None)) is None:
            return
        self._timers[thread_id] = asyncio.get_running_loop().call_later(INTERVAL_S, self._send_latest, thread_id)
        self._send(event)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        for thread_id in self._waiting.keys() - self._timers.keys():
            self._send_latest(thread_id)

    def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
