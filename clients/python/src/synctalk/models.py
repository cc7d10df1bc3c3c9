"""The things of the product as the server sends them.

Fields that are not known here are ignored, so that a newer server serves an older client; roles, states and the like
are therefore strings.
"""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class User(Model):
    id: str
    username: str
    display_name: str
    avatar_url: str | None = None
    is_bot: bool = False
    is_guest: bool = False
    metadata: dict[str, Any] = {}
    external_id: str | None = None
    """To server keys only."""


class Tokens(Model):
    access_token: str
    refresh_token: str
    expires_in: int
    """Seconds until the access token ends."""
    session_id: str
    user: User


class Session(Model):
    session_id: str
    device_name: str | None
    created_at: datetime
    last_used_at: datetime
    current: bool


class ForwardedFrom(Model):
    """Where a forwarded message is from; None where that is not for every reader to see."""

    conversation_id: str | None
    message_id: str | None
    sender_id: str | None


class File(Model):
    id: str
    name: str
    size: int
    content_type: str
    width: int | None = None
    height: int | None = None
    duration_s: float | None = None
    blurhash: str | None = None
    has_thumbnail: bool = False
    state: str = "ready"
    """`pending`, `ready` or `refused`."""
    created_at: datetime
    url: str | None = None


class LinkPreview(Model):
    """What the page behind a link says of itself, as plain text."""

    url: str
    title: str
    description: str = ""
    image_url: str | None = None


class ThreadSummary(Model):
    """What a root message says of the replies in its thread."""

    reply_count: int
    last_reply_at: datetime
    last_seq: int
    participant_ids: list[str]
    """The first five who replied."""


class Message(Model):
    id: str
    conversation_id: str
    seq: int
    """The message's number in its conversation: 1, 2, 3 … without a gap."""
    change_seq: int
    """The number of its latest change among all changes of the conversation."""
    sender_id: str
    client_message_id: str
    body: str
    reply_to: str | None = None
    reactions: dict[str, list[str]] = {}
    """Ids of users by emoji; of a message with very many reactions not all."""
    reaction_counts: dict[str, int] = {}
    mentions: list[str] = []
    created_at: datetime
    edited_at: datetime | None = None
    deleted_at: datetime | None = None
    pinned_at: datetime | None = None
    pinned_by: str | None = None
    metadata: dict[str, Any] = {}
    mention_all: bool = False
    forwarded_from: ForwardedFrom | None = None
    system: dict[str, Any] | None = None
    """What happened, as `{"type": …}`, where the group itself says so; `body` says it in English."""
    files: list[File] = []
    previews: list[LinkPreview] = []
    """Of its first links: empty at first, and filled by a later `MessageUpdated`."""
    thread_id: str | None = None
    """The root message, of a reply in a thread."""
    also_in_conversation: bool = False
    """A reply that is shown in the conversation as well."""
    thread: ThreadSummary | None = None
    """Of a root message that has replies."""
    streaming: bool = False
    """It is still being written; `body` is the text so far."""
    interrupted: bool = False
    """Its writer fell silent before the end."""


class OwnState(Model):
    """What a conversation is to oneself alone."""

    pinned_at: datetime | None = None
    hidden_at: datetime | None = None
    marked_unread_at: datetime | None = None
    first_unread_seq: int | None = None
    mention_count: int = 0


class Conversation(Model):
    """A conversation as the caller sees it."""

    id: str
    type: str
    """`direct` or `group`."""
    title: str | None
    peer: User | None
    last_seq: int
    change_seq: int
    read_seq: int
    unread_count: int
    role: str | None
    last_message: Message | None
    members_count: int
    pins_count: int = 0
    created_at: datetime
    updated_at: datetime
    description: str = ""
    avatar_url: str | None = None
    metadata: dict[str, Any] = {}
    visibility: str = "private"
    posting: str = "everyone"
    history: str = "all"
    """`since_joined`: messages of before one's latest join do not exist."""
    slow_mode_s: int = 0
    archived_at: datetime | None = None
    me: OwnState = OwnState()
    system_messages: bool = False


class EphemeralMessage(Model):
    """What was said to whoever was there, and is stored nowhere."""

    id: str
    conversation_id: str
    sender_id: str
    client_message_id: str
    body: str
    metadata: dict[str, Any] = {}
    created_at: datetime


class Member(Model):
    user: User
    role: str | None
    """`owner`, `admin`, `moderator` or `member`; None in a change: no member any more."""
    joined_at: datetime
    delivered_seq: int
    read_seq: int
    muted_until: datetime | None = None
    """May read and not write until then."""


class MemberState(Member):
    change_seq: int


class Receipt(Model):
    user_id: str
    delivered: bool
    read: bool


class Presence(Model):
    user_id: str
    status: str
    """`online`, `away`, `dnd` or `offline`."""
    custom_status: str | None = None
    last_seen_at: datetime | None = None


class SearchHit(Model):
    message: Message
    highlight: str
    ranges: list[list[int]] = []
    """Hits in the body, as code points: where each begins, and the first one after it."""


class MentionHit(Model):
    message: Message
    conversation_id: str


class SyncState(Model):
    """What changed in one conversation since a cursor, or `reset`, or `removed`."""

    messages: list[Message] = []
    members: list[MemberState] = []
    conversation: Conversation | None = None
    change_seq: int = 0
    more: bool = False
    reset: bool = False
    removed: bool = False


class CreatedBot(Model):
    user: User
    token: str
    """Shown only once."""


class CreatedKey(Model):
    id: str
    key: str
    """Shown only once."""


class ServerUser(User):
    """A user as server keys see it."""

    external_id: str | None
    private_metadata: dict[str, Any] = {}
    deactivated_at: datetime | None = None
    erased_at: datetime | None = None


class ServerConversation(Model):
    """A conversation as server keys see it, who are nobody in it."""

    id: str
    external_id: str | None
    """What the app calls it."""
    type: str
    """`direct` or `group`."""
    title: str | None
    members: list[User] | None
    """Both users of a direct one; None of a group."""
    last_seq: int
    change_seq: int
    last_message: Message | None
    members_count: int
    pins_count: int = 0
    created_at: datetime
    updated_at: datetime
    description: str = ""
    avatar_url: str | None = None
    metadata: dict[str, Any] = {}
    visibility: str = "private"
    posting: str = "everyone"
    slow_mode_s: int = 0
    archived_at: datetime | None = None
    system_messages: bool = False


class MessageOutcome(Model):
    """What became of one message of a batch: `message`, or `error` as in an error body."""

    message: Message | None = None
    error: dict[str, Any] | None = None


class UserOutcome(Model):
    """What became of one user of a batch: `user`, or `error` as in an error body."""

    external_id: str
    user: ServerUser | None = None
    error: dict[str, Any] | None = None


class HostEvent(Model):
    """What happened, for a backend: in the feed, or by a webhook. It may come more than once, with the same `id`."""

    id: str
    type: str
    created_at: datetime
    data: dict[str, Any]


class HostEvents(Model):
    items: list[HostEvent]
    next: str
    """To be given as `after`."""


class CreatedWebhook(Model):
    id: str
    secret: str
    """Shown only once."""


class WebhookInfo(Model):
    id: str
    url: str
    types: list[str]
    description: str
    active: bool
    created_at: datetime
    failing_since: datetime | None
    secret: str | None = None
    """The new one, where it was just rotated."""


class WebhookDelivery(Model):
    event_id: str
    type: str
    status: str
    """`pending`, `delivered` or `dead`."""
    attempts: int
    last_status: int | None
    last_error: str | None
    next_try_at: datetime | None


class ServerKeyInfo(Model):
    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
