"""A token bucket for each subject, in this process: for limits that count while Redis is away."""

from collections import OrderedDict

from synctalk_runtime.limits import Limit

from synctalk_gateway.protocol.buckets import TokenBucket


class LocalBuckets:
    """At the bound the subject that was asked for least recently is forgotten."""

    MAX_SUBJECTS = 50_000

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    def take(self, subject: str, now: float) -> bool:
        """Return whether the subject's bucket had a token, and take it; `now` is monotonic seconds."""
        bucket = self._buckets.pop(subject, None)
        if bucket is None:
            bucket = TokenBucket(self._limit.per_second, self._limit.burst, now)
        self._buckets[subject] = bucket
        if len(self._buckets) > self.MAX_SUBJECTS:
            self._buckets.popitem(last=False)
        return bucket.take(now)
