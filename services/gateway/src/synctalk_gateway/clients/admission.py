"""Decides whether the lane of one api process takes another command, so that overload is refused at once.

The queue is bounded by time: what is ahead of a command, in batches, times the measured time of a batch must stay below
`target_s`. That lets a burst in. A queue that has not been empty for `target_s` is no burst: from then on it holds
`min_queue` commands, so that what is accepted waits for little more than the batch under way, until it has drained.
(The idea is that of CoDel as Facebook's servers use it: https://queue.acm.org/detail.cfm?id=2839461.)
"""

from collections import deque

FIRST_GUESS_S = 0.02
WEIGHT = 0.2
"""Of the latest batch in the average."""


class Admission:
    """The admission of one lane. All times are seconds of one monotonic clock."""

    def __init__(self, target_s: float, max_batch: int) -> None:
        self._target_s = target_s
        self._max_batch = max_batch
        self._min_queue = max_batch * 3 // 2
        """Half a batch more than leaves at once: an overloaded queue is not mistaken for an empty one."""
        self._batch_s = FIRST_GUESS_S
        self._empty_at = float("-inf")
        self._sent_at: deque[float] = deque()
        """Of what is under way, oldest first."""

    def admits(self, queued: int, now: float) -> bool:
        """Return whether one more may join the `queued` ones."""
        if queued == 0:
            self._empty_at = now
        if queued < self._min_queue:
            return True
        if now - self._empty_at > self._target_s:
            return False
        return self.delay_s(queued, now) <= self._target_s

    def delay_s(self, queued: int, now: float) -> float:
        """Return how long a command that joins now will wait for its reply; a late batch counts as long as it takes."""
        under_way = now - self._sent_at[0] if self._sent_at else 0.0
        batches = queued // self._max_batch + 2
        return batches * max(self._batch_s, under_way)

    def sent(self, left: int, now: float) -> None:
        """A batch has left, and `left` commands stay in the queue for longer than what was under way already."""
        self._sent_at.append(now)
        if left == 0:
            self._empty_at = now

    def finished(self, now: float) -> None:
        """The oldest batch under way has its replies, or was given up."""
        if self._sent_at:
            self._batch_s += WEIGHT * (now - self._sent_at.popleft() - self._batch_s)
