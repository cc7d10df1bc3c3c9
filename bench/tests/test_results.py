import math
from dataclasses import replace

import pytest
from synctalk_bench.load import bar, scenarios
from synctalk_bench.load.results import Idle, Machine, Run, Spread, Talk
from synctalk_bench.load.settings import Settings

SPREAD = Spread(1, 2, 3, 4)


def talk(side: str, cpu_s: float, faults: dict[str, int] | None = None) -> Talk:
    return Talk(
        scenario="room",
        side=side,
        sockets=10,
        window_s=1,
        messages=1,
        deliveries=1_000,
        ack_ms=SPREAD,
        delivery_ms=SPREAD,
        late_ms=SPREAD,
        busy_before=0,
        cpu_s={"a": cpu_s / 2, "b": cpu_s / 2},
        load_cpu_s=0,
        memory={},
        retries=0,
        syncs=0,
        faults=faults or {},
    )


def run(*talks: Talk, idle: tuple[Idle, ...] = ()) -> Run:
    return Run("2026-01-01T00:00:00+00:00", Machine(2, 2**30, "Python", "Linux"), idle, talks)


def test_cpu__without_the_edge__is_that_of_all_others() -> None:
    found = replace(talk("ours", 0.4), cpu_s={"edge": 0.1, "api-1": 0.3})
    assert (found.cpu_us_per_delivery, found.own_cpu_us_per_delivery) == pytest.approx((400, 300))


def said(found: Run) -> dict[str, bool]:
    return {line.text.partition(":")[0]: line.is_met for line in bar.lines(found)}


def test_bar__cheap_enough__is_met() -> None:
    room = "CPU per delivery in the room without the edge, µs"
    assert said(run(talk("ours", 0.1), talk("node", 0.2)))[room] is True
    assert said(run(talk("ours", 0.1), talk("node", 0.1)))[room] is False


def test_bar__a_higher_rate__is_better() -> None:
    ours, node = (replace(talk(side, 0.1), scenario="highest") for side in ("ours", "node"))
    rate = "Highest rate in groups, messages/s"
    assert said(run(replace(ours, messages=3), replace(node, messages=2)))[rate] is True
    assert said(run(ours, node))[rate] is False


def test_bar__what_was_not_measured__has_no_line() -> None:
    assert said(run(talk("ours", 0.1))) == {"Every received message checked": True}


def test_bar__late_acks_in_pairs__are_missed() -> None:
    late = replace(talk("ours", 0.1), scenario="pairs", ack_ms=Spread(7, 20, 26, 30))
    assert said(run(late)) == {
        "Ack p50 in pairs": True,
        "Ack p99 in pairs": False,
        "Every received message checked": True,
    }


@pytest.mark.parametrize(
    ("messages", "p99_ms", "faults", "kept_up"),
    [
        (1_000, 249.0, {}, True),
        (899, 249.0, {}, False),
        (1_000, 250.0, {}, False),
        (1_000, 249.0, {"not acked": 1}, False),
        (1_000, 249.0, {"out of order": 1}, True),
    ],
)
def test_keeps_up__all_sent_and_answered_in_time(
    messages: int, p99_ms: float, faults: dict[str, int], kept_up: bool
) -> None:
    found = replace(talk("node", 0.1, faults), messages=messages, ack_ms=Spread(1, 2, p99_ms, 300))
    assert scenarios.keeps_up(found, 1_000, Settings()) is kept_up


def test_faults__of_a_baseline__are_not_ours() -> None:
    assert run(talk("ours", 0.1, {"lost": 2}), talk("python", 0.4, {"lost": 9})).faults() == {"lost": 2}


def test_faults__of_several_loads__are_added() -> None:
    idle = Idle("ours", 10, 0, 10_240, 0, {"lost": 1})
    assert run(talk("ours", 0.1, {"lost": 2}), idle=(idle,)).faults() == {"lost": 3}
    assert idle.bytes_per_socket == 1024


def test_spread__of_a_hundred__names_its_percentiles() -> None:
    assert Spread.of(range(1_000, 102_000, 1_000)) == Spread(51, 91, 100, 101)


def test_spread__of_nothing__is_not_a_number() -> None:
    assert math.isnan(Spread.of([]).p50)
