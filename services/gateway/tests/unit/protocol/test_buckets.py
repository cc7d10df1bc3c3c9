"""A token bucket gives its burst at once and its rate after that."""

from synctalk_gateway.protocol.buckets import TokenBucket


def test_bucket__empty__fills_at_its_rate() -> None:
    bucket = TokenBucket(10, 3, now=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert not bucket.take(0.05)
    assert bucket.take(0.2)
    assert [bucket.take(100) for _ in range(4)] == [True, True, True, False]
