"""Up to which `change_seq` a socket has everything: what it asks `sync` from.

Live events, its own acks and sync's answers come in no one order; what is ahead of a gap waits until that is filled.
"""


class Cursor:
    __slots__ = ("_ahead", "at")

    def __init__(self, at: int) -> None:
        self.at = at
        self._ahead: set[int] = set()

    def saw(self, change_seq: int) -> None:
        if change_seq == self.at + 1:
            self.at = change_seq
            self._catch_up()
        elif change_seq > self.at:
            self._ahead.add(change_seq)

    def reached(self, change_seq: int) -> None:
        """`sync` has brought everything up to here."""
        self.at = max(self.at, change_seq)
        self._catch_up()

    def _catch_up(self) -> None:
        while self._ahead and self.at + 1 in self._ahead:
            self.at += 1
            self._ahead.discard(self.at)
