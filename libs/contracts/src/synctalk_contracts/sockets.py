"""The Socket.IO events by direction, which each class has in its name.

Names and payloads are those of the public interface.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)

from synctalk_contracts.base import Contract, Request
from synctalk_contracts.ids import MAX_INT64, ClientMessageId, GivenTime, Id, Seq, Timestamp
from synctalk_contracts.metadata import Metadata
from synctalk_contracts.models import (
    Conversation,
    EndReason,
    Forward,
    LastSeenVisible,
    Message,
    Presence,
    Role,
    ThreadSummary,
    User,
)
from synctalk_contracts.text import MAX_BODY_CHARS, BodyOrNothing, Emoji, Status, Text


def _unless_forwarded(body: object, check: ValidatorFunctionWrapHandler, given: ValidationInfo) -> object:
    if given.data.get("forward") is None:
        if body == "" and given.data.get("file_ids") == []:  # where those are refused they are not there
            raise ValueError("must contain at least one visible character")
        return check(body)
    if body != "":
        raise ValueError("must be left out where a message is forwarded")
    return body


class ToServer(Request):
    """An event that a client may emit. Each is acked with `{ok: true, …}` or `{ok: false, error}`."""

    EVENT: ClassVar[str]


def _distinct(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        raise ValueError("must not name a file twice")
    return ids


MAX_FILES = 10

FileIds = Annotated[
    list[Id], Field(max_length=MAX_FILES, json_schema_extra={"uniqueItems": True}), AfterValidator(_distinct)
]


class NewMessage(Request):
    """What a client says in a message: a text, files or both, or which message it forwards."""

    client_message_id: ClientMessageId
    forward: Forward | None = None
    file_ids: FileIds = Field(default_factory=list, json_schema_extra={"default": []})
    """One's own, each sent once, in the sequence in which they are shown."""
    body: Annotated[BodyOrNothing, WrapValidator(_unless_forwarded)] = Field(default="", validate_default=True)
    """May be empty where there are files."""
    reply_to: Id | None = None
    metadata: Metadata = Field(default_factory=dict, json_schema_extra={"default": {}})
    thread_id: Id | None = None
    """The root message of the thread that it replies in."""
    also_in_conversation: bool = False
    """Show the reply in the conversation as well."""

    @field_validator("file_ids")
    @classmethod
    def _not_forwarded(cls, file_ids: list[str], given: ValidationInfo) -> list[str]:
        if file_ids and given.data.get("forward") is not None:
            raise ValueError("must be left out where a message is forwarded")
        return file_ids

    @field_validator("also_in_conversation")
    @classmethod
    def _in_thread(cls, also: bool, given: ValidationInfo) -> bool:
        if also and given.data.get("thread_id", "refused") is None:
            raise ValueError("must be left out where there is no thread_id")
        return also


class MessageSendToServer(ToServer, NewMessage):
    EVENT: ClassVar[str] = "message:send"
    conversation_id: Id


class MessageEditToServer(ToServer):
    EVENT: ClassVar[str] = "message:edit"
    conversation_id: Id
    message_id: Id
    body: BodyOrNothing
    """May be empty where the message has files."""


class MessageDeleteToServer(ToServer):
    EVENT: ClassVar[str] = "message:delete"
    conversation_id: Id
    message_id: Id


class NewStream(Request):
    """The beginning of a message that its sender streams."""

    client_message_id: ClientMessageId
    body: BodyOrNothing = ""
    thread_id: Id | None = None
    """The root message, of a reply in a thread."""


class StreamText(Request):
    """More of a streamed message's text."""

    at: Annotated[int, Field(ge=0, le=MAX_INT64)]
    """Where it belongs, in code points from the beginning; what is there already is skipped."""
    text: Annotated[Text, Field(max_length=MAX_BODY_CHARS)]
    """Empty: nothing new, but the writer is not silent."""


class StreamEnd(Request):
    body: BodyOrNothing | None = None
    """The whole text in the place of what was streamed; null: that is it."""


class MessageStreamStartToServer(ToServer, NewStream):
    EVENT: ClassVar[str] = "message:stream:start"
    conversation_id: Id


class MessageStreamAppendToServer(ToServer, StreamText):
    EVENT: ClassVar[str] = "message:stream:append"
    conversation_id: Id
    message_id: Id


class MessageStreamEndToServer(ToServer, StreamEnd):
    EVENT: ClassVar[str] = "message:stream:end"
    conversation_id: Id
    message_id: Id


class ReactionAddToServer(ToServer):
    EVENT: ClassVar[str] = "reaction:add"
    conversation_id: Id
    message_id: Id
    emoji: Emoji


class ReactionRemoveToServer(ToServer):
    EVENT: ClassVar[str] = "reaction:remove"
    conversation_id: Id
    message_id: Id
    emoji: Emoji


class ReceiptDeliveredToServer(ToServer):
    EVENT: ClassVar[str] = "receipt:delivered"
    conversation_id: Id
    seq: Seq


class ReceiptReadToServer(ToServer):
    EVENT: ClassVar[str] = "receipt:read"
    conversation_id: Id
    seq: Seq


class ThreadReadToServer(ToServer):
    EVENT: ClassVar[str] = "thread:read"
    conversation_id: Id
    thread_id: Id
    seq: Seq


MAX_MARKS = 500


class ReceiptsToServer(ToServer):
    """Many watermarks at once, as a client reports them after connecting: `{conversation_id: seq}`.

    Its ack is `{ok, failed: {conversation_id: error}}`, with the error body's `error` of each that was refused.
    """

    EVENT: ClassVar[str] = "receipts"
    delivered: dict[Id, Seq] = Field(default={}, max_length=MAX_MARKS)
    read: dict[Id, Seq] = Field(default={}, max_length=MAX_MARKS)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if len(self.delivered) + len(self.read) > MAX_MARKS:
            raise ValueError(f"must have at most {MAX_MARKS} marks")
        return self


class TypingStartToServer(ToServer):
    EVENT: ClassVar[str] = "typing:start"
    conversation_id: Id
    thread_id: Id | None = None
    """The thread in which the user types; a socket types in one place of a conversation at a time."""


class TypingStopToServer(ToServer):
    EVENT: ClassVar[str] = "typing:stop"
    conversation_id: Id


class PresenceSubscribeToServer(ToServer):
    EVENT: ClassVar[str] = "presence:subscribe"
    user_ids: list[Id] = Field(max_length=200)


class PresenceUnsubscribeToServer(ToServer):
    EVENT: ClassVar[str] = "presence:unsubscribe"
    user_ids: list[Id] = Field(max_length=200)


class CustomStatus(Request):
    """A status text with an emoji and an end. Without text and emoji, and at or after its end, it is none."""

    text: Status | None = None
    emoji: Emoji | None = None
    expires_at: GivenTime | None = None


def _form_of_status(value: object) -> str:
    return "object" if isinstance(value, dict | CustomStatus) else "text"


class PresenceSet(Request):
    """Fields that are left out stay as they are; `custom_status: null` clears it."""

    status: Literal["online", "away", "dnd", "invisible"] | None = None
    custom_status: (
        Annotated[
            Annotated[Status, Tag("text")] | Annotated[CustomStatus, Tag("object")], Discriminator(_form_of_status)
        ]
        | None
    ) = None
    """Replaced whole: a text alone has no emoji and no end."""
    last_seen_visible: bool | LastSeenVisible | None = None
    """True is `everyone`, false is `nobody`."""

    @field_validator("status", "last_seen_visible")
    @classmethod
    def _left_out_or_given(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null; omit it to keep the current value")
        return value


class PresenceSetToServer(ToServer, PresenceSet):
    EVENT: ClassVar[str] = "presence:set"


class ActivityToServer(ToServer):
    """Reports whether this client is in use now. A new socket is active; idle on all devices is shown as `away`."""

    EVENT: ClassVar[str] = "activity"
    active: bool


class SyncToServer(ToServer):
    EVENT: ClassVar[str] = "sync"
    cursors: dict[Id, Seq] = Field(max_length=100)


class AuthRefreshToServer(ToServer):
    EVENT: ClassVar[str] = "auth:refresh"
    token: str = Field(min_length=1, max_length=8192)


class ToClient(Contract):
    """An event that a server emits."""

    EVENT: ClassVar[str]


class ReadyConversation(Contract):
    id: Id
    last_seq: Seq
    change_seq: Seq


class ReadyToClient(ToClient):
    EVENT: ClassVar[str] = "ready"
    user_id: Id
    session_id: Id
    connection_id: str
    server_time: Timestamp
    conversations: list[ReadyConversation]
    more: bool


class MessageNewToClient(ToClient, Message):
    EVENT: ClassVar[str] = "message:new"


class MessageUpdatedToClient(ToClient, Message):
    EVENT: ClassVar[str] = "message:updated"


class MessageDeletedToClient(ToClient, Message):
    EVENT: ClassVar[str] = "message:deleted"


class MessageEphemeralToClient(ToClient):
    """What a host app says to whoever is there. It is stored nowhere, has no number, and may come again."""

    EVENT: ClassVar[str] = "message:ephemeral"
    id: Id
    conversation_id: Id
    sender_id: Id
    client_message_id: str
    body: str
    metadata: dict[str, Any] = Field(default={})
    created_at: Timestamp


class ChangeHiddenToClient(ToClient):
    """A change of a message that does not exist for the user: the number is passed over."""

    EVENT: ClassVar[str] = "change:hidden"
    conversation_id: Id
    change_seq: Seq


class ThreadChangedToClient(ToClient):
    """What a root message says of its thread now. Not in the conversation's order: `sync` has the message itself."""

    EVENT: ClassVar[str] = "thread:changed"
    conversation_id: Id
    thread_id: Id
    thread: ThreadSummary | None
    change_seq: Seq
    """The root message's."""


class ThreadUpdatedToClient(ToClient):
    """A thread as the user sees it, to their own sockets alone."""

    EVENT: ClassVar[str] = "thread:updated"
    conversation_id: Id
    thread_id: Id
    following: bool
    read_seq: Seq
    unread_count: int
    mention_count: int


class MessageDeltaToClient(ToClient):
    """More of a streamed message's text; not part of the conversation's order."""

    EVENT: ClassVar[str] = "message:delta"
    conversation_id: Id
    message_id: Id
    at: int
    """Where it belongs, in code points from the beginning."""
    text: str


class ReceiptUpdatedToClient(ToClient):
    EVENT: ClassVar[str] = "receipt:updated"
    conversation_id: Id
    user_id: Id
    delivered_seq: Seq
    read_seq: Seq


class TypingToClient(ToClient):
    EVENT: ClassVar[str] = "typing"
    conversation_id: Id
    user_id: Id
    active: bool
    thread_id: Id | None = Field(default=None, exclude_if=lambda thread_id: thread_id is None)
    """Left out where the user types in the conversation itself."""


class UserUpdatedToClient(ToClient, User):
    """A changed name or picture, to oneself and to those who share a conversation."""

    EVENT: ClassVar[str] = "user:updated"


class PresenceChangedToClient(ToClient, Presence):
    EVENT: ClassVar[str] = "presence:changed"


class ConversationNewToClient(ToClient, Conversation):
    EVENT: ClassVar[str] = "conversation:new"


class ConversationUpdatedToClient(ToClient, Conversation):
    EVENT: ClassVar[str] = "conversation:updated"


class ConversationRemovedToClient(ToClient):
    EVENT: ClassVar[str] = "conversation:removed"
    id: Id


class MemberChangedToClient(ToClient):
    EVENT: ClassVar[str] = "member:changed"
    conversation_id: Id
    user_id: Id
    role: Role | None
    change_seq: Seq
    muted_until: Timestamp | None = Field(default=None)


class SyncRequiredToClient(ToClient):
    EVENT: ClassVar[str] = "sync:required"
    conversation_ids: list[Id] | None


class SessionExpiringToClient(ToClient):
    EVENT: ClassVar[str] = "session:expiring"
    expires_at: Timestamp


class SessionEndedToClient(ToClient):
    EVENT: ClassVar[str] = "session:ended"
    reason: EndReason


class ServerDrainingToClient(ToClient):
    EVENT: ClassVar[str] = "server:draining"
    reconnect_in_ms: int


def _by_event(base: type[Any]) -> dict[str, type[Any]]:
    return {cls.EVENT: cls for cls in base.__subclasses__()}


TO_SERVER: dict[str, type[ToServer]] = _by_event(ToServer)
TO_CLIENT: dict[str, type[ToClient]] = _by_event(ToClient)
