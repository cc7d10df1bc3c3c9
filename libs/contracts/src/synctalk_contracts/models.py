"""The things of the product as every client sees them."""

from enum import StrEnum
from typing import Any, Literal

from pydantic import Field

from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id, Seq, Timestamp


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MODERATOR = "moderator"
    MEMBER = "member"


class PresenceStatus(StrEnum):
    ONLINE = "online"
    AWAY = "away"
    DND = "dnd"
    OFFLINE = "offline"


class EndReason(StrEnum):
    """The reason why a session ended, as sent in `session:ended`."""

    LOGGED_OUT = "logged_out"
    REVOKED = "revoked"
    PASSWORD_CHANGED = "password_changed"
    REFRESH_REUSED = "refresh_reused"
    EXPIRED = "expired"


class Scope(StrEnum):
    """What a server key may be allowed."""

    KEYS = "keys"
    USERS = "users"
    TOKENS = "tokens"
    CONVERSATIONS = "conversations"
    MESSAGES = "messages"
    BOTS = "bots"
    EVENTS = "events"
    WEBHOOKS = "webhooks"
    ACT = "act"


class User(Contract):
    id: Id
    username: str
    display_name: str
    avatar_url: str | None
    is_bot: bool = Field(default=False)
    is_guest: bool = Field(default=False)
    metadata: dict[str, Any] = Field(default={})
    """Of the host app: only server keys write it."""


class ServerUser(User):
    """A user as server keys see it."""

    external_id: str | None
    """What the host app calls the user; null once the user is erased."""
    private_metadata: dict[str, Any]
    deactivated_at: Timestamp | None
    erased_at: Timestamp | None
    """Everything that was to be erased is."""


class EraseMode(StrEnum):
    """What is erased of a user who is deactivated."""

    MESSAGES = "messages"
    AUTHOR = "author"
    """Name, username, picture and metadata; the messages stay."""


class Tokens(Contract):
    access_token: str
    refresh_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    """Seconds until the access token ends."""
    session_id: Id
    user: User


class Session(Contract):
    session_id: Id
    device_name: str | None
    created_at: Timestamp
    last_used_at: Timestamp
    current: bool


class Forward(Contract):
    """Which message to forward."""

    conversation_id: Id
    message_id: Id


class ForwardedFrom(Contract):
    """Where a forwarded message is from; nulls where that is not for every reader to see."""

    conversation_id: Id | None
    message_id: Id | None
    sender_id: Id | None


class FileState(StrEnum):
    PENDING = "pending"
    READY = "ready"
    REFUSED = "refused"


class File(Contract):
    """A file that a user has uploaded. Its type is what its bytes say, once it is ready."""

    id: Id
    name: str
    size: int
    content_type: str
    width: int | None
    height: int | None
    duration_s: float | None
    blurhash: str | None
    has_thumbnail: bool
    state: FileState
    created_at: Timestamp
    url: str | None
    """Of an avatar: its public path, good as long as it is in use."""


class ThreadSummary(Contract):
    """What a root message says of the replies in its thread that are not deleted."""

    reply_count: int
    last_reply_at: Timestamp
    last_seq: Seq
    """Of the last reply."""
    participant_ids: list[Id]
    """The first five who replied."""


class LinkPreview(Contract):
    """What the page behind a link of a message says of itself, as plain text."""

    url: str
    """The link, as the message has it."""
    title: str
    description: str
    image_url: str | None


class Message(Contract):
    id: Id
    conversation_id: Id
    seq: Seq
    change_seq: Seq
    sender_id: Id
    client_message_id: str
    body: str
    reply_to: Id | None
    reactions: dict[str, list[Id]]
    """The first who reacted, by emoji; of a message with very many reactions not all."""
    reaction_counts: dict[str, int] = Field(default={})
    """All who reacted, by emoji."""
    mentions: list[Id]
    mention_all: bool = Field(default=False)
    """`@all` of a sender who may mention everybody."""
    created_at: Timestamp
    edited_at: Timestamp | None
    deleted_at: Timestamp | None
    pinned_at: Timestamp | None = Field(default=None)
    pinned_by: Id | None = Field(default=None)
    metadata: dict[str, Any] = Field(default={})
    """Of the host app, as the sender gave it."""
    forwarded_from: ForwardedFrom | None = Field(default=None)
    system: dict[str, Any] | None = Field(default=None)
    """What happened, as `{type, …}`, where the group itself says so and not a user; `body` says it in English."""
    files: list[File] = Field(default=[])
    thread_id: Id | None = Field(default=None)
    """The root message, of a reply in a thread."""
    also_in_conversation: bool = Field(default=False)
    """A reply that is shown in the conversation as well."""
    thread: ThreadSummary | None = Field(default=None)
    """Of a root message that has replies."""
    previews: list[LinkPreview] = Field(default=[])
    """Of the first links, in their sequence, those whose pages have any: empty at first, filled by a later change."""
    streaming: bool = Field(default=False)
    """It is still being written; `body` is the text so far."""
    interrupted: bool = Field(default=False)
    """Its writer fell silent before the end."""


class Thread(Contract):
    """A thread as one user sees it."""

    conversation_id: Id
    root: Message
    following: bool
    read_seq: Seq
    unread_count: int
    """Zero for who does not follow it."""
    mention_count: int
    """Of the unread replies, those that mention the caller."""


class Revision(Contract):
    """An earlier text of a message."""

    body: str
    edited_at: Timestamp
    """When it was replaced."""


class Member(Contract):
    user: User
    role: Role
    joined_at: Timestamp
    delivered_seq: Seq
    read_seq: Seq
    muted_until: Timestamp | None = Field(default=None)
    """May read and not write until then; the end of the year 9999 where it is until lifted."""


class MemberChange(Contract):
    """A member in `sync`: the current state, or a removed member (`role` null)."""

    user: User
    role: Role | None
    joined_at: Timestamp
    delivered_seq: Seq
    read_seq: Seq
    change_seq: Seq
    muted_until: Timestamp | None = Field(default=None)


class OwnState(Contract):
    """What a conversation is to one member alone."""

    pinned_at: Timestamp | None = None
    hidden_at: Timestamp | None = None
    marked_unread_at: Timestamp | None = None
    """Until the next read."""
    first_unread_seq: Seq | None = None
    """The lowest `seq` that `unread_count` counts."""
    mention_count: int = 0
    """Of the unread messages, those that mention the caller."""


class Conversation(Contract):
    """A conversation as the caller sees it."""

    id: Id
    type: Literal["direct", "group"]
    title: str | None
    peer: User | None
    last_seq: Seq
    change_seq: Seq
    read_seq: Seq
    unread_count: int
    role: Role
    last_message: Message | None
    members_count: int
    pins_count: int = Field(default=0)
    created_at: Timestamp
    updated_at: Timestamp
    description: str = Field(default="")
    avatar_url: str | None = Field(default=None)
    metadata: dict[str, Any] = Field(default={})
    """Of the host app, as members gave it."""
    visibility: Literal["private", "public"] = Field(default="private")
    posting: Literal["everyone", "admins"] = Field(default="everyone")
    """Who may send; with `admins` moderators too."""
    history: Literal["all", "since_joined"] = Field(default="all")
    """With `since_joined` messages of before a member's latest join do not exist for them."""
    slow_mode_s: int = Field(default=0)
    """How long a member has to wait between two messages, in seconds."""
    archived_at: Timestamp | None = Field(default=None)
    """From then on nothing in it changes."""
    me: OwnState = Field(default=OwnState())
    system_messages: bool = Field(default=False)
    """Whether what happens in the group is said in messages of its own."""


class ServerConversation(Conversation):
    """A conversation as server keys see it, who are nobody in it."""

    peer: None = Field(default=None)
    read_seq: Literal[0] = Field(default=0)
    unread_count: Literal[0] = Field(default=0)
    role: None = Field(default=None)  # type: ignore[assignment]
    me: None = Field(default=None)  # type: ignore[assignment]
    external_id: str | None
    """What the host app calls it."""
    members: list[ServerUser] | None
    """Both users of a direct one; null of a group."""


class ServerMember(Member):
    """A member as server keys see it."""

    user: ServerUser


class HostConversation(Contract):
    """A conversation as the events for host apps have it: nothing of what is said in it."""

    id: Id
    external_id: str | None
    """What the host app calls it."""
    type: Literal["direct", "group"]
    title: str | None
    metadata: dict[str, Any]
    created_at: Timestamp
    updated_at: Timestamp


class Receipt(Contract):
    """The state of one message for one member: received, read."""

    user_id: Id
    delivered: bool
    read: bool


class Presence(Contract):
    user_id: Id
    status: PresenceStatus
    custom_status: str | None
    last_seen_at: Timestamp | None
    status_emoji: str | None = Field(default=None)
    status_expires_at: Timestamp | None = Field(default=None)
    """When `custom_status` and `status_emoji` become null by themselves."""


LastSeenVisible = Literal["everyone", "contacts", "nobody"]
"""Who sees when a user was last seen: who shares a conversation with them, a direct one, or no one."""


class PresenceSettings(Contract):
    """What a user has chosen to be shown as."""

    status: Literal["online", "away", "dnd", "invisible"]
    custom_status: str | None
    status_emoji: str | None
    status_expires_at: Timestamp | None
    last_seen_visible: LastSeenVisible


class SearchHit(Contract):
    message: Message
    highlight: str
    ranges: list[list[int]] = Field(default=[])
    """The first hits in `body`, as code points: where each begins, and the first one after it."""


class MentionHit(Contract):
    message: Message
    conversation_id: Id


class SyncState(Contract):
    """The changes of one conversation after the given cursor, in exactly one of three forms."""

    messages: list[Message] | None = None
    members: list[MemberChange] | None = None
    conversation: Conversation | None = None
    change_seq: Seq | None = None
    more: bool | None = None
    reset: Literal[True] | None = None
    removed: Literal[True] | None = None


class SyncAnswer(Contract):
    conversations: dict[Id, SyncState]


class Device(Contract):
    device_id: str
    platform: Literal["android", "ios", "web"]
    created_at: Timestamp


class NotificationSettings(Contract):
    level: Literal["all", "mentions", "none"] = "all"
    muted_until: Timestamp | None = None


class QuietHours(Contract):
    """Every day from `from` until before `to`, on the clocks of the time zone; it may pass midnight."""

    from_: str = Field(alias="from")
    to: str
    time_zone: str


class GlobalNotificationSettings(Contract):
    quiet_hours: QuietHours | None = None
    content: Literal["full", "sender", "none"] = "full"
    """What a push says: the message, who wrote it and where, or nothing."""
    level: Literal["all", "mentions", "none"] = "all"
    """Of conversations without a level of their own."""


class AllNotificationSettings(Contract):
    settings: GlobalNotificationSettings
    conversations: dict[Id, NotificationSettings]
    """Those with a level of their own or a mute."""


class PushData(Contract):
    """The `data` of a push; strings, as FCM wants them."""

    type: Literal["message", "retract"]
    conversation_id: Id
    message_id: Id
    seq: str
    badge: str
    sender_name: str = Field(default="")
    """Empty where the user's `content` forbids it, as `title` and `text` are."""
    title: str = Field(default="")
    """The group's; empty in a direct conversation."""
    text: str = Field(default="")
    """The first 200 characters."""
    thread_id: str = Field(default="")
    """Empty outside of threads."""
