"""Commands on their way through the writer, and what came of them.

A `Command` is the contract's command together with where it came from. After the commit it has an outcome: a
`CommandResult`, or the error with which it was refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts.commands import AnyCommand
from synctalk_contracts.encoding import fanout as encoding
from synctalk_runtime.errors import AppError

from synctalk_api.clients.fanout import Broadcast


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a command, true after the commit."""

    message: bytes | None = None
    """The `Message` as JSON, encoded once for the reply, the fan-out and the event."""
    changed: bool = True
    """False: it was so before the command."""


Outcome = CommandResult | AppError


@dataclass(slots=True)
class Command:
    payload: AnyCommand
    connection_id: str | None = None
    """The socket it came from; None: over REST."""
    traceparent: str | None = None
    reply_to: str | None = None
    """The gateway that waits for the reply."""
    request_id: int = 0
    deadline: datetime | None = None
    """Once it has passed nothing may be written: the client has got `unavailable`."""

    def reply(self, outcome: Outcome) -> encoding.ReplyJson:
        """Return the contract's `Reply`."""
        if isinstance(outcome, CommandResult):
            return encoding.done(self.request_id, outcome.message)
        return encoding.refused(self.request_id, outcome.body()["error"])


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The outcomes of one transaction's commands, in their sequence, and what is to be published."""

    outcomes: Sequence[Outcome]
    broadcast: Broadcast
