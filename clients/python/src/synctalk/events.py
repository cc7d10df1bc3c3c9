"""What `Client.events` yields.

Of one conversation, the events that have a `change_seq` come in its order, each change once, and none is missing:
whoever has got one knows all that happened before it. After an absence, changes of one message come as one, its state
now.
"""

from dataclasses import dataclass
from datetime import datetime

from synctalk.models import Conversation, EphemeralMessage, Message, Presence, User


@dataclass(frozen=True, slots=True)
class Event:
    """The base of all events."""


@dataclass(frozen=True, slots=True)
class Connected(Event):
    """The socket is live. Receipts and presence have no numbers: what was missed of them is read anew."""

    connection_id: str


@dataclass(frozen=True, slots=True)
class Disconnected(Event):
    """The connection was lost; the client reconnects by itself."""


@dataclass(frozen=True, slots=True)
class MessageEvent(Event):
    message: Message


@dataclass(frozen=True, slots=True)
class MessageCreated(MessageEvent):
    """A new message, one's own too."""


@dataclass(frozen=True, slots=True)
class MessageUpdated(MessageEvent):
    """A message was edited or reacted to."""


@dataclass(frozen=True, slots=True)
class MessageDeleted(MessageEvent):
    """A message was deleted; one that came and went during an absence is seen by this only."""


@dataclass(frozen=True, slots=True)
class MessageEphemeral(Event):
    """The app says something to whoever is there. It is stored nowhere, and what was missed of it does not come."""

    message: EphemeralMessage


@dataclass(frozen=True, slots=True)
class MessageDelta(Event):
    """More of a message that is being written. It has no number and may be missed: where `at` is beyond the text that
    one has, the message is loaded (`rest.message`); `MessageUpdated` with the whole text follows in any case."""

    conversation_id: str
    message_id: str
    at: int
    """Where `text` belongs, in code points; what one has already is skipped."""
    text: str


@dataclass(frozen=True, slots=True)
class MemberChanged(Event):
    """Somebody joined, left, has another role, or was muted."""

    conversation_id: str
    user_id: str
    role: str | None
    """None: no member any more."""
    change_seq: int
    muted_until: datetime | None = None
    """May read and not write until then."""


@dataclass(frozen=True, slots=True)
class ConversationAdded(Event):
    """A conversation that one was not in before. Its later changes follow."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class ConversationUpdated(Event):
    """The title changed; after an absence: the conversation as it is now."""

    conversation: Conversation


@dataclass(frozen=True, slots=True)
class ConversationRemoved(Event):
    """One is no member any more; nothing more of it comes."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class HistoryReset(Event):
    """Too much happened during an absence: what one keeps of the conversation is to be loaded anew. Changes after it
    follow as ever."""

    conversation_id: str
    change_seq: int


@dataclass(frozen=True, slots=True)
class ReceiptUpdated(Event):
    conversation_id: str
    user_id: str
    delivered_seq: int
    read_seq: int


@dataclass(frozen=True, slots=True)
class Typing(Event):
    """Ends by itself after 6 s, even if no event says so."""

    conversation_id: str
    user_id: str
    active: bool
    thread_id: str | None = None
    """The thread in which it is; None: in the conversation itself."""


@dataclass(frozen=True, slots=True)
class PresenceChanged(Event):
    presence: Presence


@dataclass(frozen=True, slots=True)
class UserUpdated(Event):
    user: User
