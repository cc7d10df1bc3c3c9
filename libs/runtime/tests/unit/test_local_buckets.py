"""The buckets of one process: as those in Redis, and never more than so many."""

from synctalk_runtime.local_buckets import LocalBuckets


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_ask__more_than_the_burst__is_refused_until_it_flowed_in() -> None:
    clock = Clock()
    buckets = LocalBuckets(10, clock)
    assert [buckets.ask([("a", 0.5, 2)], 1, stops=True) for _ in range(3)] == [[0], [0], [2000]]
    clock.now = 2
    assert buckets.ask([("a", 0.5, 2)], 1, stops=True) == [0]


def test_ask__given_back__is_there_again() -> None:
    buckets = LocalBuckets(10, Clock())
    assert buckets.ask([("a", 0.5, 1)], 1, stops=True) == [0]
    assert buckets.ask([("a", 0.5, 1)], -1, stops=False) == [0]
    assert buckets.ask([("a", 0.5, 1)], 1, stops=True) == [0]


def test_ask__first_refuses__those_after_it_are_not_touched() -> None:
    buckets = LocalBuckets(10, Clock())
    first, second = ("first", 0.5, 1), ("second", 0.5, 1)
    assert buckets.ask([first], 1, stops=True) == [0]
    assert buckets.ask([first, second], 1, stops=True) == [2000]
    assert buckets.ask([second], 1, stops=True) == [0]


def test_ask__more_names_than_are_kept__forgets_the_one_asked_for_longest_ago() -> None:
    buckets = LocalBuckets(2, Clock())
    for name in ("a", "b", "a", "c"):
        buckets.ask([(name, 0.5, 1)], 1, stops=True)
    assert len(buckets) == 2
    assert buckets.ask([("a", 0.5, 1)], 1, stops=True) != [0]
    assert buckets.ask([("b", 0.5, 1)], 1, stops=True) == [0]
