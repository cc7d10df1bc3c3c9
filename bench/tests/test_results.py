import math

import pytest
from synctalk_bench.load.results import Idle, Machine, Run, Spread, Talk

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


def test_ratio__both_sides__is_ours_by_the_baseline() -> None:
    assert run(talk("ours", 0.1), talk("baseline", 0.4)).ratio("room") == pytest.approx(0.25)


def test_ratio__one_side__is_not_known() -> None:
    assert run(talk("ours", 0.1)).ratio("room") is None


def test_faults__of_the_baseline__are_not_ours() -> None:
    assert run(talk("ours", 0.1, {"lost": 2}), talk("baseline", 0.4, {"lost": 9})).faults() == {"lost": 2}


def test_faults__of_several_loads__are_added() -> None:
    idle = Idle("ours", 10, 0, 10_240, 0, {"lost": 1})
    assert run(talk("ours", 0.1, {"lost": 2}), idle=(idle,)).faults() == {"lost": 3}
    assert idle.bytes_per_socket == 1024


def test_spread__of_a_hundred__names_its_percentiles() -> None:
    assert Spread.of(range(1_000, 102_000, 1_000)) == Spread(51, 91, 100, 101)


def test_spread__of_nothing__is_not_a_number() -> None:
    assert math.isnan(Spread.of([]).p50)
