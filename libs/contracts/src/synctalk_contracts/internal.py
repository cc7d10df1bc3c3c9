"""Questions of the services to each other over HTTP, below `/internal`: look-ups whose answer must be true now.

| path | asked by | body → answer |
|---|---|---|
| auth `GET /internal/revocations` | all | → `[SessionRevoked]` that still matter |
| auth `GET /internal/revocations/changes?cursor=` | all | → `RevocationPage`: those since that page |
| auth `POST /internal/users` | api | `Ids` → `Users`, unknown ones left out |
| api `PUT /internal/users/{user_id}` | auth | `User` → 204: a user just registered |
| api `GET /internal/users/{user_id}` | auth | → `User`, or 404 |
| api `GET /internal/users/{user_id}/conversations?limit=` | gateway | → `ConversationStates`, newest activity first |
| api `POST /internal/heads` | gateway | `Ids` → `Heads`: how far these conversations have got |
| api `GET /internal/partitions` | gateway | → `PartitionMap`: the queues of commands |
| api `POST /internal/room` | gateway | `RoomQuestion` → `RoomState`: who of these is still a member |
| api `POST /internal/sync` | gateway | `SyncQuestion` → `SyncAnswer` |
| api `POST /internal/contacts` | presence | `ContactsQuestion` → `Ids`: those who share a conversation |
| api `POST /internal/pushes` | notifier | `PushQuestions` → `PushAnswers`, in the order asked |
| api `GET /internal/memberships?after=&limit=` | notifier | → `MembershipPage`: all of them, to build a copy anew |
| presence `POST /internal/presence/leases` | gateway | `LeaseReport` → 204 |
| presence `POST /internal/presence/snapshot` | gateway | `PresenceQuestion` → `PresenceSnapshot`, in the order asked |
| presence `PUT /internal/presence/{user_id}` | gateway | `PresenceSet` of the interface → 204 |
| presence `POST /internal/presence/active` | notifier | `Ids` → `Ids`: those who are connected and active |
"""

from typing import Annotated

from pydantic import Field

from synctalk_contracts.base import Contract
from synctalk_contracts.events.sessions import SessionRevoked
from synctalk_contracts.ids import Id, Seq
from synctalk_contracts.models import Presence, User
from synctalk_contracts.topology import PARTITIONS


class Ids(Contract):
    ids: list[Id]


class Users(Contract):
    items: list[User]


class ConversationState(Contract):
    id: Id
    last_seq: Seq
    change_seq: Seq


class ConversationStates(Contract):
    items: list[ConversationState]
    more: bool = False
    """There are others beyond the limit that was asked for."""


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


class RoomQuestion(Contract):
    conversation_id: Id
    user_ids: list[Id]


class RoomState(Contract):
    """The state of a room as of `change_seq`: who of those asked is a member."""

    change_seq: Seq
    member_ids: list[Id]


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


class PushQuestion(Contract):
    user_id: Id
    conversation_id: Id
    seq: Seq
    quiet_conversation_ids: list[Id] = Field(default=[])
    """Muted or at level `none`: left out of the badge."""


class PushQuestions(Contract):
    items: list[PushQuestion]


class PushAnswer(Contract):
    member: bool
    delivered: bool
    """Always false: notifiers of before want it."""
    read: bool
    deleted: bool
    """The message is deleted: nothing to announce."""
    badge: int
    """The user's unread messages in all conversations."""


class PushAnswers(Contract):
    items: list[PushAnswer]


class Membership(Contract):
    conversation_id: Id
    user_id: Id
    present: bool
    """False: was a member, and left or was removed."""
    change_seq: Seq
    """The change that made it so; an event with a lower one is older."""


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
