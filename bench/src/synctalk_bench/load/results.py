"""What a run found, as values that can be written down."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from synctalk_bench.load.processes import Memory

EDGE = "edge"


@dataclass(frozen=True)
class Spread:
    """A latency's percentiles, milliseconds."""

    p50: float
    p90: float
    p99: float
    highest: float

    @classmethod
    def of(cls, ascending_us: Sequence[int]) -> Self:
        if not ascending_us:
            return cls(math.nan, math.nan, math.nan, math.nan)
        last = len(ascending_us) - 1
        p50, p90, p99, highest = (ascending_us[round(last * share)] / 1000 for share in (0.5, 0.9, 0.99, 1.0))
        return cls(p50, p90, p99, highest)


@dataclass(frozen=True)
class Talk:
    """Users who send and receive, on one side."""

    scenario: str
    side: str
    sockets: int
    window_s: float
    messages: int
    """Acked, of those sent inside the window."""
    deliveries: int
    ack_ms: Spread
    delivery_ms: Spread
    late_ms: Spread
    """How late the generator sent: the load's own share of what it measures."""
    busy_before: float
    """Cores that the side kept busy before the load began: work that an earlier one had left."""
    cpu_s: Mapping[str, float]
    load_cpu_s: float
    """What the generator itself spent; charged to nobody."""
    memory: Mapping[str, Memory]
    retries: int
    """Messages that were refused for now and sent again."""
    syncs: int
    """Number of times that a socket was asked to sync, and did."""
    faults: Mapping[str, int]

    @property
    def cpu_us_per_delivery(self) -> float:
        return self._per_delivery(sum(self.cpu_s.values()))

    @property
    def own_cpu_us_per_delivery(self) -> float:
        """Without the edge, which no baseline has."""
        return self._per_delivery(sum(seconds for name, seconds in self.cpu_s.items() if name != EDGE))

    @property
    def messages_per_s(self) -> float:
        return self.messages / self.window_s

    def _per_delivery(self, seconds: float) -> float:
        return seconds / self.deliveries * 1e6 if self.deliveries else math.nan


@dataclass(frozen=True)
class Idle:
    """Sockets that only wait, on one side."""

    side: str
    sockets: int
    before_bytes: int
    after_bytes: int
    """Resident memory of the processes that hold the sockets, without and with them."""
    cpu_s_per_1000_a_minute: float
    faults: Mapping[str, int]

    @property
    def bytes_per_socket(self) -> float:
        return (self.after_bytes - self.before_bytes) / self.sockets


@dataclass(frozen=True)
class Machine:
    cores: int
    memory_bytes: int
    python: str
    system: str


@dataclass(frozen=True)
class Run:
    started_at: str
    machine: Machine
    idle: Sequence[Idle]
    talks: Sequence[Talk]

    def talk(self, scenario: str, side: str) -> Talk | None:
        return next((one for one in self.talks if (one.scenario, one.side) == (scenario, side)), None)

    def faults(self) -> dict[str, int]:
        """Of our side: those of the baselines are shown, and are their own affair."""
        found: dict[str, int] = {}
        for faults in [one.faults for one in self.idle if one.side == "ours"] + [
            one.faults for one in self.talks if one.side == "ours"
        ]:
            for kind, count in faults.items():
                found[kind] = found.get(kind, 0) + count
        return found
