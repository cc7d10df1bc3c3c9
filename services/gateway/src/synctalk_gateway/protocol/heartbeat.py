"""Engine.IO's heartbeat: the server pings, the client answers each ping with one pong. Timers, no tasks."""

import asyncio
from collections.abc import Callable


class Heartbeat:
    """Calls `ping` each interval, and `lost` when no pong comes in time, unless `is_excused`."""

    __slots__ = ("_interval_s", "_is_excused", "_lost", "_ping", "_timeout_s", "_timer", "pong_due")

    def __init__(
        self,
        interval_s: float,
        timeout_s: float,
        ping: Callable[[], None],
        is_excused: Callable[[], bool],
        lost: Callable[[], None],
    ) -> None:
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._ping = ping
        self._is_excused = is_excused
        self._lost = lost
        self._timer: asyncio.TimerHandle | None = None
        self.pong_due = False

    def start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval_s, self._beat)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def on_pong(self) -> None:
        self.pong_due = False
        self.stop()
        self.start()

    def _beat(self) -> None:
        self.pong_due = True
        self._await_pong()
        self._ping()

    def _await_pong(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._timeout_s, self._on_silence)

    def _on_silence(self) -> None:
        if self._is_excused():
            self._await_pong()
        else:
            self._lost()
