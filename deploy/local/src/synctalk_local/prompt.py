"""Makes supervisord restart a dead process at once. Loaded by supervisord itself, as a plugin of its RPC interface.

By itself its loop looks once a second, both for a death and, in the next round, for what to start: up to two seconds
that a restart within three does not have. Here a signal and a process's end wake the loop.
"""

import os
import signal
from typing import Any

from supervisor.events import ProcessStateExitedEvent, subscribe
from supervisor.medusa import asyncore_25 as asyncore


class Waker:
    """Something to read for supervisord's loop, whenever it should look again."""

    def __init__(self) -> None:
        self.readable_end, self._write_end = os.pipe()
        os.set_blocking(self.readable_end, False)
        os.set_blocking(self._write_end, False)
        signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        subscribe(ProcessStateExitedEvent, self._exited)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def handle_read_event(self) -> None:
        os.read(self.readable_end, 4096)

    def handle_error(self) -> None:
        return

    def close(self) -> None:
        signal.set_wakeup_fd(-1)

    def _exited(self, _: Any) -> None:
        os.write(self._write_end, b"\0")


class NoCalls:
    """The plugin adds no calls to the interface."""


def make_prompt(_: Any) -> NoCalls:
    waker = Waker()
    asyncore.socket_map[waker.readable_end] = waker
    return NoCalls()
