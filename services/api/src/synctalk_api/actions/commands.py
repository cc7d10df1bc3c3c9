"""Commands on their way through the writer, and what came of them.

A `Command` is the contract's command together with where it came from. After the commit it has an outcome: a
`CommandResult`, or the error with which it was refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from synctalk_contracts.base import Contract
from synctalk_contracts.commands import AnyCommand, SendMessage
from synctalk_contracts.encoding import fanout as encoding
from synctalk_contracts.ids import SYSTEM_USER_ID, Id
from synctalk_contracts.models import File, LinkPreview
from synctalk_runtime.errors import AppError

from synctalk_api.clients.fanout import Broadcast


class PinMessage(Contract):
    """Comes by REST only."""

    conversation_id: Id
    user_id: Id
    type: Literal["message.pin.v1"] = "message.pin.v1"
    message_id: Id


class UnpinMessage(Contract):
    """Comes by REST only."""

    conversation_id: Id
    user_id: Id
    type: Literal["message.unpin.v1"] = "message.unpin.v1"
    message_id: Id


class ShowPreviews(Contract):
    """Comes from the notifier, which has looked the links up."""

    conversation_id: Id
    user_id: Id
    type: Literal["message.preview.v1"] = "message.preview.v1"
    message_id: Id
    links: list[str]
    previews: list[LinkPreview]


class SayCustom(Contract):
    """What a host app lets a conversation say, in a message that no user has sent. Comes by REST only."""

    conversation_id: Id
    user_id: Id = SYSTEM_USER_ID
    type: Literal["message.say.v1"] = "message.say.v1"
    client_message_id: str
    body: str
    metadata: dict[str, Any]
    system: dict[str, Any]


class FinishStream(Contract):
    """The end of a streamed message, with its whole text."""

    conversation_id: Id
    user_id: Id
    type: Literal["stream.finish.v1"] = "stream.finish.v1"
    message_id: Id
    client_message_id: str
    body: str
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The result of a command, true after the commit."""

    message: bytes | None = None
    """The `Message` as JSON, encoded once for the reply, the fan-out and the event."""
    changed: bool = True
    """False: it was so before the command."""
    at: int | None = None
    """How far the text of a streamed message reaches, after more of it was appended."""


Outcome = CommandResult | AppError


@dataclass(slots=True)
class Command:
    payload: AnyCommand | PinMessage | UnpinMessage | ShowPreviews | SayCustom | FinishStream
    connection_id: str | None = None
    """The socket it came from; None: over REST."""
    traceparent: str | None = None
    reply_to: str | None = None
    """The gateway that waits for the reply."""
    request_id: int = 0
    deadline: datetime | None = None
    """Once it has passed nothing may be written: the client has got `unavailable`."""
    given: SendMessage | None = None
    """The message as its client sent it, where the message hook has replaced it: a repeat is compared with this."""
    by_host: bool = False
    """A server key sends it: the message hook is not asked, and what holds users up does not hold."""
    silent: bool = False
    """Nobody gets a push for it."""
    files: Sequence[File] = ()
    """Of a message to be sent: what its `file_ids` are, each of them ready and taken for it."""
    stream_id: str | None = None
    """Of a message to be streamed: the id that it gets."""

    def reply(self, outcome: Outcome) -> encoding.ReplyJson:
        """Return the contract's `Reply`."""
        if isinstance(outcome, CommandResult):
            return encoding.done(self.request_id, outcome.message, outcome.at)
        return encoding.refused(self.request_id, outcome.body()["error"])


@dataclass(frozen=True, slots=True)
class EndedStream:
    """A message that is streamed no longer."""

    message_id: str
    user_id: str
    """Its writer."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The outcomes of one transaction's commands, in their sequence, and what is to be published."""

    outcomes: Sequence[Outcome]
    broadcast: Broadcast
    ended: Sequence[EndedStream] = ()
