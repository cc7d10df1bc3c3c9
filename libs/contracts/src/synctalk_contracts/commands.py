"""Commands from the gateways to api, and their replies.

A gateway sends what has queued up for an api process as one `CommandBatch`; api answers on the gateway's own Redis
channel with `ReplyBatch`es. Commands are transient: the client is acked only after the commit, and tries again with the
same ids, so a lost command or reply costs a retry and never a message.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id, Seq, Timestamp
from synctalk_contracts.models import Forward


class Command(Contract):
    conversation_id: Id
    user_id: Id
    """The user who sent it, as the gateway authenticated them; api decides whether they may."""


class SendMessage(Command):
    type: Literal["message.send.v1"] = "message.send.v1"
    client_message_id: str
    body: str
    """Empty only with files, as in an edit."""
    reply_to: Id | None = None
    metadata: dict[str, Any] = Field(default={})
    forward: Forward | None = None
    """The message whose text this one gets, in the place of `body`, which is empty."""
    file_ids: list[Id] = Field(default=[])
    """In the sequence in which they are shown."""
    thread_id: Id | None = None
    also_in_conversation: bool = False


class EditMessage(Command):
    type: Literal["message.edit.v1"] = "message.edit.v1"
    message_id: Id
    body: str


class DeleteMessage(Command):
    type: Literal["message.delete.v1"] = "message.delete.v1"
    message_id: Id


class StartStream(Command):
    type: Literal["stream.start.v1"] = "stream.start.v1"
    client_message_id: str
    body: str = ""
    thread_id: Id | None = None


class AppendToStream(Command):
    type: Literal["stream.append.v1"] = "stream.append.v1"
    message_id: Id
    at: int
    text: str


class EndStream(Command):
    type: Literal["stream.end.v1"] = "stream.end.v1"
    message_id: Id
    body: str | None = None
    """None: what was appended."""


class AddReaction(Command):
    type: Literal["reaction.add.v1"] = "reaction.add.v1"
    message_id: Id
    emoji: str


class RemoveReaction(Command):
    type: Literal["reaction.remove.v1"] = "reaction.remove.v1"
    message_id: Id
    emoji: str


class MarkDelivered(Command):
    type: Literal["receipt.deliver.v1"] = "receipt.deliver.v1"
    seq: Seq


class MarkRead(Command):
    type: Literal["receipt.read.v1"] = "receipt.read.v1"
    seq: Seq


class MarkThreadRead(Command):
    type: Literal["thread.read.v1"] = "thread.read.v1"
    thread_id: Id
    seq: Seq


AnyCommand = Annotated[
    SendMessage
    | EditMessage
    | DeleteMessage
    | StartStream
    | AppendToStream
    | EndStream
    | AddReaction
    | RemoveReaction
    | MarkDelivered
    | MarkRead
    | MarkThreadRead,
    Field(discriminator="type"),
]


class CommandRequest(Contract):
    id: int
    """The gateway's own number of this request, given back in the reply."""
    connection_id: str
    """The socket it came from: its fan-out leaves this one out."""
    traceparent: str | None = None
    command: AnyCommand


class CommandBatch(Contract):
    reply_to: str
    """The gateway process that waits for the replies."""
    requests: list[CommandRequest]
    deadline: Timestamp | None = None
    """After this nothing of the batch may be written: its clients got `unavailable` and may have moved on."""


class Reply(Contract):
    id: int
    result: dict[str, Any] | None = None
    """What the ack carries beside `ok: true`; None when refused."""
    error: dict[str, Any] | None = None
    """The `error` member of the error body; None when done."""


class ReplyBatch(Contract):
    replies: list[Reply]
