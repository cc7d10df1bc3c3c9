"""What one worker counts: latencies and deliveries of the measured window, and every fault, whenever it happens."""

import time
from array import array
from collections import Counter, defaultdict

from synctalk_bench.load import wire

MAX_REMEMBERED = 256


class Tally:
    def __init__(self) -> None:
        self.window_from_ns = self.window_to_ns = 0
        self.deliveries = 0
        self.ack_us = array("I")
        self.delivery_us = array("I")
        self.late_us = array("I")
        self.acked: dict[str, list[int]] = defaultdict(list)
        self.faults: Counter[str] = Counter()
        self.retries = 0
        """Messages that the server asked to send again."""
        self.syncs = 0
        """Number of times that the server asked a socket to sync."""
        self._parsed: dict[bytes, wire.NewMessage] = {}

    def parse(self, data: bytes) -> wire.NewMessage | None:
        """The message in this packet. The sockets of a room receive equal bytes, which are read once."""
        known = self._parsed.get(data)
        if known is None:
            try:
                known = wire.parse_new_message(data)
            except (ValueError, KeyError):
                self.faults["unreadable"] += 1
                return None
            if len(self._parsed) >= MAX_REMEMBERED:
                self._parsed.clear()
            self._parsed[data] = known
        return known

    def delivered(self, sent_ns: int) -> None:
        now = time.monotonic_ns()
        if self.window_from_ns <= now < self.window_to_ns:
            self.deliveries += 1
        if self.window_from_ns <= sent_ns < self.window_to_ns:
            self.delivery_us.append((now - sent_ns) // 1000)

    def acked_after(self, sent_ns: int) -> None:
        if self.window_from_ns <= sent_ns < self.window_to_ns:
            self.ack_us.append((time.monotonic_ns() - sent_ns) // 1000)

    def late(self, late_ns: int, now_ns: int) -> None:
        if self.window_from_ns <= now_ns < self.window_to_ns:
            self.late_us.append(max(0, late_ns) // 1000)
