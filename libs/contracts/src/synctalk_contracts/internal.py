"""Questions of the services to each other over HTTP, below `/internal`: look-ups whose answer must be true now.

`internal_routes.py` lists the routes.
"""

from typing import Annotated, Any

from pydantic import Field

from synctalk_contracts.base import Contract
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.fanout import MemberView
from synctalk_contracts.ids import MAX_EXTERNAL_ID_CHARS, Id, Seq, Timestamp
from synctalk_contracts.models import Conversation, LastSeenVisible, LinkPreview, Presence, ServerUser, User
from synctalk_contracts.topology import PARTITIONS


class Ids(Contract):
    ids: list[Id]


class Users(Contract):
    items: list[User]


class UsersQuestion(Contract):
    ids: Annotated[list[Id], Field(max_length=1000)] = Field(default=[])
    external_ids: Annotated[list[str], Field(max_length=1000)] = Field(default=[])
    """As they are kept: in NFC."""


class KnownUsers(Contract):
    """Each user once, also those who are deactivated."""

    items: list[ServerUser]


class NameQuestion(Contract):
    external_id: Annotated[str, Field(max_length=MAX_EXTERNAL_ID_CHARS)]
    """As it is kept: in NFC."""


class NamedConversation(Contract):
    id: Id


class KeyQuestion(Contract):
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of a server key or a bot's token, in hex."""


class KnownKey(Contract):
    """A server key that was not revoked; it may have ended."""

    id: Id
    scopes: list[str]
    """Those that a service does not know allow nothing there."""
    expires_at: Timestamp | None


class KnownBot(Contract):
    """A bot's token that was not revoked, and the session that it is."""

    user_id: Id
    session_id: Id


class ActingQuestion(Contract):
    user: Annotated[str, Field(max_length=4096)]
    """A user's id, or `external:` and the percent-encoded external id."""


class ActingUser(Contract):
    """A user who is active."""

    user_id: Id
    is_bot: bool = False
    is_guest: bool = False


class InviteUse(Contract):
    """Take one use of an invite for a user who is about to register. Repeated for the same user it takes no other."""

    code: str
    user_id: Id


class ConversationState(Contract):
    id: Id
    last_seq: Seq
    change_seq: Seq
    changed: bool = False
    """Something may have changed there since the time that was asked about."""


class ConversationStates(Contract):
    items: list[ConversationState]
    more: bool = False
    """There are others beyond the limit that was asked for."""
    as_of: Timestamp | None = None
    """What was committed before this time is in it."""


class StatesQuestion(Contract):
    user_id: Id
    ids: list[Id]
    since: Timestamp | None = None
    """The `as_of` of an earlier state: which of these may have changed after it?"""


class Heads(Contract):
    """The latest `change_seq` by conversation; unknown ones are left out."""

    items: dict[Id, Seq]


class PartitionOwner(Contract):
    """An api process that takes commands. One that is about to stop owns nothing any more."""

    queue: str = Field(min_length=1, max_length=200)
    """Where it receives them."""
    partitions: list[Annotated[int, Field(ge=0, lt=PARTITIONS)]] = Field(max_length=PARTITIONS)


class PartitionMap(Contract):
    """Which api process owns each partition of the conversations. Of two maps the one of the higher version holds."""

    version: int = Field(ge=0)
    owners: list[PartitionOwner]


ROOM_USERS_MAX = 5_000
"""In one question; there may be more users of a group at one gateway."""


class RoomQuestion(Contract):
    conversation_id: Id
    user_ids: list[Id]


class RoomState(Contract):
    """The state of a room as of `change_seq`: who of those asked is a member."""

    change_seq: Seq
    member_ids: list[Id]


VIEWS_USERS_MAX = 200
"""In one question."""


class ViewsQuestion(Contract):
    conversation_id: Id
    user_ids: Annotated[list[Id], Field(max_length=VIEWS_USERS_MAX)]


class ConversationViews(Contract):
    """A conversation as some of its members see it, all as of the `change_seq` in it."""

    conversation: Conversation | None
    """As the one sees it who sees most; None: nobody of them is a member."""
    views: dict[Id, MemberView]
    """What differs from member to member."""


class TypingQuestion(Contract):
    user_id: Id
    conversation_id: Id


class TypingState(Contract):
    members_count: int
    refusal: dict[str, Any] | None = None
    """The `error` of the error body, where the user may not write there now."""
    until: Timestamp | None = None
    """When the refusal ends by itself."""


class RevocationPage(Contract):
    """Revocations after a cursor, or all current ones. Pages may overlap; repeated revocations are harmless."""

    items: list[SessionRevoked]
    cursor: str


class SyncQuestion(Contract):
    user_id: Id
    cursors: dict[Id, Seq]


class ContactsQuestion(Contract):
    user_id: Id
    others: list[Id]


class SharedWith(Ids):
    """Who shares a conversation with the user, and who of them a direct one."""

    direct: list[Id] = Field(default=[])


class PushQuestion(Contract):
    user_id: Id
    conversation_id: Id
    seq: Seq
    quiet_conversation_ids: list[Id] = Field(default=[])
    """Muted or at level `none`: left out of the badge."""
    loud_conversation_ids: list[Id] | None = Field(default=None)
    """Of a user at level `none` for all conversations: the others, which alone are in the badge."""


class PushQuestions(Contract):
    items: list[PushQuestion]
    partial: bool = Field(default=False)
    """Whether to answer what is known while a store is away; else nothing is."""


class PushAnswer(Contract):
    member: bool
    delivered: bool
    """Always false: notifiers of before want it."""
    read: bool
    deleted: bool
    """The message is deleted, or by somebody whom the user has blocked: nothing to announce."""
    badge: int
    """The user's unread messages in all conversations."""
    sender_name: str = Field(default="")
    """The display name of who wrote the message."""
    title: str | None = Field(default=None)
    """The conversation's; null in a direct one."""


class PushAnswers(Contract):
    items: list[PushAnswer]
    away: list[int] = Field(default=[])
    """Positions of those that say nothing, because the store of the conversation is away."""


class ThreadPlace(Contract):
    conversation_id: Id
    thread_id: Id


class ThreadsQuestion(Contract):
    items: Annotated[list[ThreadPlace], Field(max_length=1000)]
    partial: bool = Field(default=False)
    """Whether to answer what is known while a store is away; else nothing is."""


class ThreadFollowers(Contract):
    """The members who follow each of the threads, in the order asked."""

    items: list[list[Id]]
    away: list[int] = Field(default=[])
    """Positions of those that are not known, because the store of the conversation is away."""


class PreviewsMade(Contract):
    """The previews of a message's links."""

    conversation_id: Id
    message_id: Id
    sender_id: Id
    links: list[str]
    """All that were looked up: a message that has other links by now is left as it is."""
    previews: list[LinkPreview]


class Membership(Contract):
    conversation_id: Id
    user_id: Id
    present: bool
    """False: was a member, and left or was removed."""
    change_seq: Seq
    """The change that made it so; an event with a lower one is older."""
    direct: bool = Field(default=False)
    """Of a direct conversation."""


class MembershipPage(Contract):
    items: list[Membership]
    next: str | None
    """`after` of the next page; null: this was the last."""


class PresenceQuestion(Contract):
    asker_id: Id
    user_ids: list[Id]


class Presences(Contract):
    items: list[Presence]


class PresenceSnapshot(Presences):
    strangers: list[Id]
    """Those who share no conversation with the user who asks: their changes must not be passed on."""
    direct: list[Id] = Field(default=[])
    """Those who share a direct conversation with the user who asks."""
    last_seen_visible: LastSeenVisible = Field(default="everyone")
    """Of the user who asks: they see nobody's last seen time who may not see theirs."""


class ActiveUsers(Ids):
    """Of those asked: who is connected and active, and who wants no push now, connected or not."""

    dnd: list[Id] = Field(default=[])


class Lease(Contract):
    user_id: Id
    connection_id: str
    active: bool = True
    """Somebody is using this client now."""


class LeaseReport(Contract):
    """The leases of one gateway, sent when sockets come and go, and for all of them once a renewal interval."""

    gateway: str
    held: list[Lease]
    """Opened or still open: alive for another lease time."""
    released: list[Lease]
    """Closed."""
