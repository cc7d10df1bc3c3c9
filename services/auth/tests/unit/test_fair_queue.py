"""Each group its turn, known ones first, and never more than the bound."""

import pytest
from synctalk_auth.fair_queue import FairQueue, Turn

A, B, KNOWN = Turn("a", is_known=False), Turn("b", is_known=False), Turn("k", is_known=True)


def _all_of(queue: FairQueue[str]) -> list[str]:
    return [queue.pop() for _ in range(len(queue))]


def test_pop__groups__take_turns_and_known_ones_come_first() -> None:
    queue: FairQueue[str] = FairQueue(10)
    for turn, item in ((A, "a1"), (A, "a2"), (A, "a3"), (B, "b1"), (KNOWN, "k1")):
        assert queue.put(turn, item) is None
    assert _all_of(queue) == ["k1", "a1", "b1", "a2", "a3"]


def test_put__full__the_longest_group_loses_its_newest() -> None:
    queue: FairQueue[str] = FairQueue(3)
    for item in ("a1", "a2", "a3"):
        queue.put(A, item)
    assert queue.put(A, "a4") == "a4"
    assert queue.put(B, "b1") == "a3"
    assert queue.put(KNOWN, "k1") == "a2"
    assert _all_of(queue) == ["k1", "a1", "b1"]


def test_put__full_of_known__refuses_who_is_not() -> None:
    queue: FairQueue[str] = FairQueue(1)
    queue.put(KNOWN, "k1")
    assert queue.put(A, "a1") == "a1"
    assert _all_of(queue) == ["k1"]


def test_pop__empty__is_an_error() -> None:
    queue: FairQueue[str] = FairQueue(1)
    with pytest.raises(StopIteration):
        queue.pop()
