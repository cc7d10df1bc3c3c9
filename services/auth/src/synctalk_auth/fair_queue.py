"""A bounded queue that is fair between groups: each gets its turn, however many of another wait."""

from collections import deque
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn a piece of work takes: a group's, and those of known groups before all others."""

    group: str
    is_known: bool


class FairQueue(Generic[T]):
    """Holds at most `most`. At the bound the group that has the most waiting loses its newest; never a known one
    for the sake of one that is not."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[str, deque[T]] = {}
        self._others: dict[str, deque[T]] = {}

    def __len__(self) -> int:
        return sum(len(items) for lane in (self._known, self._others) for items in lane.values())

    def put(self, turn: Turn, item: T) -> T | None:
        """Queue it, and return what has no place any more: another's, or this very item."""
        lane = self._known if turn.is_known else self._others
        lane.setdefault(turn.group, deque()).append(item)
        if len(self) <= self._most:
            return None
        return self._drop_from(self._others or self._known, turn.group)

    def pop(self) -> T:
        """Return the oldest of the group whose turn it is. Raises StopIteration: empty."""
        lane = self._known or self._others
        group = next(iter(lane))
        items = lane.pop(group)
        item = items.popleft()
        if items:
            lane[group] = items  # behind all others
        return item

    @staticmethod
    def _drop_from(lane: dict[str, deque[T]], newcomer: str) -> T:
        """Choose whose entry is dropped: of those with equally many the newcomer's, who waits keeps the place."""
        group = max(lane, key=lambda name: (len(lane[name]), name == newcomer))
        item = lane[group].pop()
        if not lane[group]:
            del lane[group]
        return item
