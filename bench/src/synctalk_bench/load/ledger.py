"""What one socket received of one conversation, compared with the conversation's sequence.

A socket gets every message of the others, once, ascending; its own it learns by acks, in no promised order to the rest.
So a skipped number is owed until the end, and must then be one of the socket's own.
"""


class Ledger:
    __slots__ = ("_start", "_synced", "disordered", "doubled", "last", "own", "skipped")

    def __init__(self, start: int) -> None:
        self._start = start
        self.last = start
        """The highest received."""
        self.skipped: set[int] = set()
        self.own: set[int] = set()
        self._synced: set[int] = set()
        self.doubled = 0
        self.disordered = 0

    def received(self, seq: int) -> None:
        """A live message; one that `sync` brought already may come again."""
        if seq in self._synced:
            return
        if seq > self.last:
            if seq > self.last + 1:
                self.skipped.update(range(self.last + 1, seq))
            self.last = seq
        elif seq in self.skipped:
            self.skipped.discard(seq)
            self.disordered += 1
        else:
            self.doubled += 1

    def synced(self, seq: int) -> None:
        """A message that `sync` brought after the server had said that live delivery was broken."""
        if self._start < seq <= self.last and seq not in self.skipped:
            return  # known
        self._synced.add(seq)
        self.skipped.discard(seq)
        if seq > self.last:
            self.skipped.update(range(self.last + 1, seq))
            self.last = seq

    def acked(self, seq: int) -> None:
        self.own.add(seq)

    def missing(self, last_seq: int) -> int:
        """How many of the messages up to `last_seq` this socket knows neither from others nor as its own."""
        return len((self.skipped | set(range(self.last + 1, last_seq + 1))) - self.own)

    def claimed_twice(self) -> int:
        """How many of its own numbers it also received as somebody's message."""
        return sum(1 for seq in self.own if seq <= self._start or (seq <= self.last and seq not in self.skipped))
