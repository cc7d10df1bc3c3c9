"""Questions of the services to each other over HTTP, below `/internal`: look-ups whose answer must be true now.

`ROUTES` lists them, with the services that may ask each one; docs/internal-routes.md is made of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from synctalk_contracts.base import Contract
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.ids import MAX_EXTERNAL_ID_CHARS, Id, Seq, Timestamp
from synctalk_contracts.models import LastSeenVisible, LinkPreview, Presence, ServerUser, User
from synctalk_contracts.topology import PARTITIONS


@dataclass(frozen=True, slots=True)
class InternalRoute:
    """A route of a service for other services."""

    service: str
    """Who answers."""
    method: str
    path: str
    callers: tuple[str, ...]
    """Who may ask; for all others the route does not exist."""
    exchange: str
    """The body, what is answered, and what it is for."""


_VERIFIERS = ("api", "gateway", "presence", "notifier")
"""Whoever verifies access tokens follows the revocations."""

ROUTES = (
    InternalRoute("auth", "GET", "/internal/revocations", _VERIFIERS, "→ `[SessionRevoked]` that still matter"),
    InternalRoute(
        "auth", "GET", "/internal/revocations/changes", _VERIFIERS, "`cursor` → `RevocationPage`: those since that page"
    ),
    InternalRoute("auth", "POST", "/internal/users", ("api",), "`Ids` → `Users`, unknown ones left out"),
    InternalRoute("auth", "POST", "/internal/credentials/key", _VERIFIERS, "`KeyQuestion` → `KnownKey`, or 404"),
    InternalRoute("auth", "POST", "/internal/credentials/bot", _VERIFIERS, "`KeyQuestion` → `KnownBot`, or 404"),
    InternalRoute("auth", "POST", "/internal/credentials/user", _VERIFIERS, "`ActingQuestion` → `ActingUser`, or 404"),
    InternalRoute(
        "auth",
        "POST",
        "/internal/directory",
        _VERIFIERS,
        "`UsersQuestion` → `KnownUsers`, unknown ones left out: users by the host app's names, or what it calls them",
    ),
    InternalRoute("api", "PUT", "/internal/users/{user_id}", ("auth",), "`User` → 204: a user just registered"),
    InternalRoute(
        "api", "POST", "/internal/users/profile", ("auth",), "`ProfileProvided` → 204: what a host app calls a user"
    ),
    InternalRoute("api", "GET", "/internal/users/{user_id}", ("auth",), "→ `User`, or 404"),
    InternalRoute(
        "api",
        "POST",
        "/internal/guests/forget",
        ("auth",),
        "`Ids` → `Ids`: guests that are and were in no conversation, and are known no more",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/invites/use",
        ("auth",),
        "`InviteUse` → 204: a use for a user who is about to register, or 404",
    ),
    InternalRoute(
        "api",
        "GET",
        "/internal/users/{user_id}/conversations",
        ("gateway",),
        "`limit` → `ConversationStates`, newest activity first",
    ),
    InternalRoute(
        "api",
        "GET",
        "/internal/users/{user_id}/conversation-ids",
        ("gateway",),
        "`before`, `limit` → `Ids`, the highest first",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/states",
        ("gateway",),
        "`StatesQuestion` → `ConversationStates`: those of these that the user is in",
    ),
    InternalRoute(
        "api", "POST", "/internal/heads", ("gateway",), "`Ids` → `Heads`: how far these conversations have got"
    ),
    InternalRoute("api", "GET", "/internal/partitions", ("gateway",), "→ `PartitionMap`: the queues of commands"),
    InternalRoute(
        "api", "POST", "/internal/room", ("gateway",), "`RoomQuestion` → `RoomState`: who of these is still a member"
    ),
    InternalRoute("api", "POST", "/internal/sync", ("gateway",), "`SyncQuestion` → `SyncAnswer`"),
    InternalRoute(
        "api",
        "POST",
        "/internal/typing",
        ("gateway",),
        "`TypingQuestion` → `TypingState`: whether a member may type there, and among how many",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/contacts",
        ("presence",),
        "`ContactsQuestion` → `SharedWith`: those who share a conversation",
    ),
    InternalRoute(
        "api", "POST", "/internal/pushes", ("notifier",), "`PushQuestions` → `PushAnswers`, in the order asked"
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/threads/followers",
        ("notifier",),
        "`ThreadsQuestion` → `ThreadFollowers`: who follows these threads",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/previews",
        ("notifier",),
        "`PreviewsMade` → 204: shown if the message still has these links",
    ),
    InternalRoute(
        "api",
        "GET",
        "/internal/memberships",
        ("notifier",),
        "`after`, `limit` → `MembershipPage`: all of them, to build a copy anew",
    ),
    InternalRoute(
        "api",
        "POST",
        "/internal/conversations/named",
        ("notifier",),
        "`NameQuestion` → `NamedConversation`: the conversation that a host app calls so, or 404",
    ),
    InternalRoute("presence", "POST", "/internal/presence/leases", ("gateway",), "`LeaseReport` → 204"),
    InternalRoute(
        "presence",
        "POST",
        "/internal/presence/snapshot",
        ("gateway",),
        "`PresenceQuestion` → `PresenceSnapshot`, in the order asked",
    ),
    InternalRoute(
        "presence", "PUT", "/internal/presence/{user_id}", ("gateway",), "`PresenceSet` of the interface → 204"
    ),
    InternalRoute(
        "presence",
        "POST",
        "/internal/presence/active",
        ("notifier",),
        "`Ids` → `ActiveUsers`: those who are connected and active, and those at `dnd`",
    ),
)


def callers_in(routes: Iterable[InternalRoute]) -> tuple[str, ...]:
    """Return the services that may ask any of the routes, in alphabetical order."""
    return tuple(sorted({caller for route in routes for caller in route.callers}))


def callers_of(service: str) -> tuple[str, ...]:
    """Return the services that may call this one, in alphabetical order."""
    return callers_in(route for route in ROUTES if route.service == service)


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


class ThreadPlace(Contract):
    conversation_id: Id
    thread_id: Id


class ThreadsQuestion(Contract):
    items: Annotated[list[ThreadPlace], Field(max_length=1000)]


class ThreadFollowers(Contract):
    """The members who follow each of the threads, in the order asked."""

    items: list[list[Id]]


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
