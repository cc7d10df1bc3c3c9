"""Token buckets of one process, for the time in which Redis is away."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

Bucket = tuple[str, float, float]
"""Its name, tokens a second, burst."""


class LocalBuckets:
    """At most `most` buckets are kept; the one that was asked for longest ago is forgotten first."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def ask(self, buckets: Sequence[Bucket], cost: float, *, stops: bool) -> list[int]:
        """Answer as limits.lua does: 0 when taken, else the milliseconds to wait; `stops` at the first refusal."""
        answers: list[int] = []
        for name, per_second, burst in buckets:
            answers.append(self._take(name, per_second, burst, cost))
            if answers[-1] and stops:
                break
        return answers

    def _take(self, name: str, per_second: float, burst: float, cost: float) -> int:
        now = self._clock()
        tokens, at = self._kept.get(name, (burst, now))
        tokens = min(burst, tokens + (now - at) * per_second)
        if tokens < cost:
            if name in self._kept:
                self._kept.move_to_end(name)
            return max(1, math.ceil((cost - tokens) / per_second * 1000))
        self._kept[name] = (tokens - cost, now)
        self._kept.move_to_end(name)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return 0
