"""What a run must show: a line for each thing, met or not; what was not measured has none."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from synctalk_bench.load.results import Run

ALL = attrgetter("cpu_us_per_delivery")
OWN = attrgetter("own_cpu_us_per_delivery")
RATE = attrgetter("messages_per_s")

IDLE_KIB = 24.0
ACK_P50_MS = 8.0
ACK_P99_MS = 25.0


@dataclass(frozen=True)
class Line:
    is_met: bool
    text: str


@dataclass(frozen=True)
class Ratio:
    """What ours must be, as a part of what a baseline is."""

    what: str
    scenario: str
    value: "attrgetter[float]"
    baseline: str
    most: float | None = None
    least: float | None = None

    def line(self, run: Run) -> Line | None:
        ours, theirs = run.talk(self.scenario, "ours"), run.talk(self.scenario, self.baseline)
        if ours is None or theirs is None:
            return None
        own, other = self.value(ours), self.value(theirs)
        ratio = own / other
        is_met = ratio <= self.most if self.most is not None else ratio >= (self.least or 0.0)
        goal = f"at most {self.most:.2f}" if self.most is not None else f"at least {self.least:.2f}"
        return Line(
            is_met, f"{self.what}: {own:,.0f}, {ratio:.2f} of the {other:,.0f} of {self.baseline} (goal: {goal})"
        )


RATIOS = (
    Ratio("CPU per delivery in groups without the edge, µs", "groups", OWN, "node", most=1.0),
    Ratio("CPU per message in pairs without the edge, µs", "pairs", OWN, "node", most=1.0),
    Ratio("CPU per delivery in the room without the edge, µs", "room", OWN, "node", most=0.6),
    Ratio("Highest rate in groups, messages/s", "highest", RATE, "node", least=1.5),
    Ratio("Highest rate in groups, messages/s", "highest", RATE, "node-group", least=0.8),
    Ratio("CPU per delivery in groups, µs", "groups", ALL, "python", most=1.0),
    Ratio("CPU per delivery in the room, µs", "room", ALL, "python", most=1 / 3),
)


def lines(run: Run) -> list[Line]:
    return [*(line for ratio in RATIOS if (line := ratio.line(run))), *_acks(run), *_idle(run), _faults(run)]


def _acks(run: Run) -> Iterator[Line]:
    talk = run.talk("pairs", "ours")
    if talk is None:
        return
    for name, found, most in (("p50", talk.ack_ms.p50, ACK_P50_MS), ("p99", talk.ack_ms.p99, ACK_P99_MS)):
        yield Line(found <= most, f"Ack {name} in pairs: {found:.1f} ms (goal: at most {most:.0f})")


def _idle(run: Run) -> Iterator[Line]:
    for one in run.idle:
        if one.side == "ours":
            kib = one.bytes_per_socket / 1024
            yield Line(kib < IDLE_KIB, f"An idle socket: {kib:.1f} KiB (goal: under {IDLE_KIB:.0f})")


def _faults(run: Run) -> Line:
    faults = run.faults()
    said = ", ".join(f"{count} {kind}" for kind, count in faults.items()) or "none lost, doubled or out of order"
    return Line(not faults, f"Every received message checked: {said}")
