"""Commands that wait for the writer: bounded by number and bytes, with an estimate of how long a new one would wait."""

import asyncio
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from prometheus_client import Gauge
from synctalk_contracts.commands import EditMessage, SendMessage

from synctalk_api.actions.commands import Command, Outcome

WAITING = Gauge("api_write_waiting", "Commands that wait for the writer of a store.", ["store"])
WAIT_S = Gauge("api_write_wait_seconds", "Estimated wait of a command that arrives now.", ["store"])

COMMAND_BYTES = 1_024
"""About what a command takes in memory beside its text."""
SMOOTHING = 0.3


@dataclass(slots=True)
class Submission:
    """Commands that are accepted together; `settled` gets their outcomes after the commit."""

    commands: Sequence[Command]
    bytes: int
    settled: asyncio.Future[Sequence[Outcome]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Backlog:
    def __init__(self, *, max_batch: int, max_commands: int, max_bytes: int, store: str) -> None:
        self._waiting_gauge, self._wait_gauge = WAITING.labels(store), WAIT_S.labels(store)
        self._max_batch = max_batch
        self._max_commands = max_commands
        self._max_bytes = max_bytes
        self._waiting: deque[Submission] = deque()
        self._bytes = 0
        self._batch_s = 0.0
        self._began_at: float | None = None
        self.count = 0
        self.has_space = asyncio.Event()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def full(self) -> bool:
        return self.count >= self._max_commands or self._bytes >= self._max_bytes

    def add(self, commands: Sequence[Command]) -> Submission:
        submission = Submission(commands, sum(_size(command) for command in commands))
        self._waiting.append(submission)
        self.count += len(commands)
        self._bytes += submission.bytes
        if self.full:
            self.has_space.clear()
        return submission

    def take(self) -> list[Submission]:
        """Remove and return the oldest submissions, as many as fit into one batch and one at least."""
        taken = [self._pop()]
        count = len(taken[0].commands)
        while self._waiting and count + len(self._waiting[0].commands) <= self._max_batch:
            taken.append(self._pop())
            count += len(taken[-1].commands)
        if not self.full:
            self.has_space.set()
        self._waiting_gauge.set(self.count)
        return taken

    def _pop(self) -> Submission:
        submission = self._waiting.popleft()
        self.count -= len(submission.commands)
        self._bytes -= submission.bytes
        return submission

    def batch_began(self) -> None:
        self._began_at = asyncio.get_running_loop().time()

    def batch_ended(self) -> None:
        assert self._began_at is not None
        took = asyncio.get_running_loop().time() - self._began_at
        self._batch_s += SMOOTHING * (took - self._batch_s)
        self._began_at = None
        self._wait_gauge.set(self.expected_wait_s())

    def expected_wait_s(self) -> float:
        """Estimate how long a command that arrives now would wait.

        It is 0 while the writer is idle, so that one command always finds out whether the database is back. Otherwise
        the waiting commands are counted in batches of the recent duration, since a batch takes about as long whatever
        its size; the running batch counts with the time it has taken so far, if that is longer.
        """
        if self._began_at is None and not self._waiting:
            return 0
        running_s = 0 if self._began_at is None else asyncio.get_running_loop().time() - self._began_at
        return max(running_s, self._batch_s * (1 + self.count // self._max_batch))


def _size(command: Command) -> int:
    # In memory: a text with one emoji takes four bytes a character.
    text = command.payload.body if isinstance(command.payload, SendMessage | EditMessage) else ""
    return COMMAND_BYTES + sys.getsizeof(text)
