"""Token buckets of one process."""

from synctalk_gateway.local_buckets import LocalBuckets
from synctalk_runtime.limits import Limit


def test_take__burst_then_rate() -> None:
    buckets = LocalBuckets(Limit("test", 2, 3))
    assert [buckets.take("a", 100.0) for _ in range(4)] == [True, True, True, False]
    assert buckets.take("b", 100.0)
    assert [buckets.take("a", 101.0) for _ in range(3)] == [True, True, False]


def test_take__too_many_subjects__forgets_who_was_not_there_for_longest() -> None:
    buckets = LocalBuckets(Limit("test", 1, 1))
    buckets.MAX_SUBJECTS = 2
    for subject in ("a", "b", "a", "c"):
        buckets.take(subject, 100.0)
    assert not buckets.take("a", 100.0)
    assert buckets.take("b", 100.0)
