"""Counts of this process's Python calls by function, begun and ended by a signal; for measurements.

Calls don't vary with the machine's load as time does. Without the setting there is no handler, and nothing is spent.
"""

import cProfile
import signal
from pathlib import Path
from types import FrameType

from synctalk_runtime.settings import BaseServiceSettings

TOGGLE = signal.SIGUSR2


def setup(settings: BaseServiceSettings) -> None:
    if settings.call_counts_dir is not None:
        signal.signal(TOGGLE, _Toggle(settings.call_counts_dir / f"{settings.instance}.pstats"))


class _Toggle:
    """The first signal begins, the second writes the file, as `pstats` reads it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._running: cProfile.Profile | None = None

    def __call__(self, signal_number: int, frame: FrameType | None) -> None:
        if self._running is None:
            self._running = cProfile.Profile()
            self._running.enable()
            return
        self._running.disable()
        unfinished = self._path.with_suffix(".part")
        self._running.dump_stats(unfinished)
        unfinished.rename(self._path)
        self._running = None
