"""The queue of packets that a polling client has still to fetch, bounded in bytes, and the poll that waits for them."""

import asyncio

SEPARATOR = "\x1e"
NOOP = "6"


class Outbox:
    """Packets in order. One poll at a time may wait for the first one."""

    __slots__ = ("_max_bytes", "_packets", "_poll", "_size")

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._packets: list[str] = []
        self._size = 0
        self._poll: asyncio.Future[None] | None = None

    def put(self, packet: str) -> bool:
        """Add one packet; false when it is one too many."""
        self._size += len(packet)
        if self._size > self._max_bytes:
            return False
        self._packets.append(packet)
        self.wake()
        return True

    def is_filling(self) -> bool:
        """Return whether the client fetches more slowly than packets come."""
        return self._size > self._max_bytes // 4

    def is_polled(self) -> bool:
        """Return whether a poll waits."""
        return self._poll is not None

    async def wait(self) -> None:
        """Return once there is a packet, or `wake` was called."""
        if self._packets:
            return
        self._poll = asyncio.get_running_loop().create_future()
        try:
            await self._poll
        finally:
            self._poll = None

    def wake(self) -> None:
        """Let the poll that waits return."""
        if self._poll is not None and not self._poll.done():
            self._poll.set_result(None)

    def take(self) -> list[str]:
        """Remove all packets and return them."""
        packets, self._packets, self._size = self._packets, [], 0
        return packets


def payload(packets: list[str]) -> str:
    """Return one polling payload; without packets a NOOP, since a payload is never empty."""
    return SEPARATOR.join(packets) or NOOP
