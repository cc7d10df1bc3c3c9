"""CPU of all processes of the running system, while something happens."""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from synctalk_bench.load.ours import Ours
from synctalk_bench.load.processes import cpu_seconds

SETTLE_S = 5.0


@dataclass(frozen=True, slots=True)
class Spent:
    seconds: Mapping[str, float]
    """Of CPU, by process."""
    took_s: float

    def each(self, count: int) -> Mapping[str, float]:
        """Return the microseconds of CPU of each of `count` equal things, by process."""
        return {name: seconds / count * 1e6 for name, seconds in self.seconds.items()}


async def spent_on(ours: Ours, work: Awaitable[object]) -> Spent:
    """Return what the work took; what the system uses without it is subtracted."""
    await asyncio.sleep(SETTLE_S)
    idle = await _spent_during(ours, asyncio.sleep(SETTLE_S))
    busy = await _spent_during(ours, work)
    share = busy.took_s / idle.took_s
    return Spent({name: busy.seconds[name] - idle.seconds[name] * share for name in busy.seconds}, busy.took_s)


async def _spent_during(ours: Ours, work: Awaitable[object]) -> Spent:
    roots, began = ours.processes(), time.monotonic()
    before = cpu_seconds(roots)
    await work
    after = cpu_seconds(roots)
    return Spent({name: after[name] - before[name] for name in roots}, time.monotonic() - began)
