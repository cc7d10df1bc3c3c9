"""Many watermarks at once: a command each, and one ack when all of them are done."""

from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from synctalk_contracts.commands import MarkDelivered, MarkRead
from synctalk_contracts.encoding.commands import Encoded, Encoder
from synctalk_contracts.sockets import ReceiptsToServer
from synctalk_runtime.errors import AppError, UnavailableError

from synctalk_gateway import acks
from synctalk_gateway.acks import Ack, PendingAck
from synctalk_gateway.clients.commands import Commands
from synctalk_gateway.hub.connection import Connection
from synctalk_gateway.hub.feed import Channels
from synctalk_gateway.limits import RateLimits
from synctalk_gateway.store.deliveries import Deliveries

MARKS_PER_TOKEN = 100
UNKNOWN_PER_TOKEN = 10
"""Marks of conversations in whose rooms the socket is not: api has to look whether the user is a member."""

_DELIVERED, _READ = Encoder(MarkDelivered), Encoder(MarkRead)


class _Mark(NamedTuple):
    conversation_id: str
    seq: int
    command: Encoded


class _Report:
    """Collects the acks of one report's marks into one."""

    def __init__(self, marks: int) -> None:
        self.ack = PendingAck()
        self._missing = marks
        self._failed: dict[str, Any] = {}
        if not marks:
            self._finish()

    def add(self, conversation_id: str, ack: Ack) -> None:
        if not ack["ok"]:
            self._failed[conversation_id] = ack["error"]
        self._missing -= 1
        if self._missing == 0:
            self._finish()

    def _finish(self) -> None:
        self.ack.set(acks.done(failed=self._failed))


class ReceiptReports:
    def __init__(self, commands: Commands, feed: Channels, limits: RateLimits, deliveries: Deliveries) -> None:
        self._commands = commands
        self._feed = feed
        self._limits = limits
        self._deliveries = deliveries

    async def report(self, connection: Connection, payload: ReceiptsToServer) -> PendingAck:
        """Return the ack to come, with the error of each conversation whose mark was refused.

        Raises:
            RateLimitedError: the user's bucket is empty.
            UnavailableError: replies cannot come now.
        """
        marks = list(_marks(connection.user_id, payload))
        if not self._feed.live:
            raise UnavailableError
        unknown = sum(mark.conversation_id not in connection.rooms for mark in marks)
        for _ in range(1 + len(marks) // MARKS_PER_TOKEN + unknown // UNKNOWN_PER_TOKEN):
            await self._limits.take_signal(connection.user_id)
        report = _Report(len(marks))
        for mark in marks:
            try:
                submitted = self._commands.submit(connection.id, mark.command)
            except AppError as error:
                report.add(mark.conversation_id, acks.refused(error))
            else:
                submitted.then(partial(report.add, mark.conversation_id))
            if mark.conversation_id in connection.rooms:
                self._deliveries.add(connection.session_id, mark.conversation_id, mark.seq)
        return report.ack


def _marks(user_id: str, payload: ReceiptsToServer) -> Iterator[_Mark]:
    """Make a command of each mark. What is read is delivered: a lower `delivered` beside it is left out."""
    for conversation_id, seq in payload.read.items():
        yield _mark(_READ, user_id, conversation_id, seq)
    for conversation_id, seq in payload.delivered.items():
        if seq > payload.read.get(conversation_id, -1):
            yield _mark(_DELIVERED, user_id, conversation_id, seq)


def _mark(encoder: Encoder, user_id: str, conversation_id: str, seq: int) -> _Mark:
    return _Mark(conversation_id, seq, encoder.of(user_id, {"conversation_id": conversation_id, "seq": seq}))
