"""What the services ask each other over HTTP, below `/internal`: look-ups whose answer must be true now.

| path | asked by | body → answer |
|---|---|---|
| auth `GET /internal/revocations` | all | → `[SessionRevoked]` that still matter |
| auth `POST /internal/users` | api | `Ids` → `Users`, unknown ones left out |
| api `PUT /internal/users/{user_id}` | auth | `User` → 204: a person just registered |
| api `GET /internal/users/{user_id}` | auth | → `User`, or 404 |
| api `GET /internal/users/{user_id}/conversations` | gateway | → `ConversationStates`: all, newest activity first |
| api `POST /internal/sync` | gateway | `SyncQuestion` → `SyncAnswer` |
| api `POST /internal/contacts` | presence | `ContactsQuestion` → `Ids`: those who share a conversation |
| api `POST /internal/pushes` | notifier | `PushQuestions` → `PushAnswers`, in the order asked |
| presence `POST /internal/presence/leases` | gateway | `LeaseReport` → 204 |
| presence `POST /internal/presence/snapshot` | gateway | `PresenceQuestion` → `PresenceSnapshot`, in the order asked |
| presence `PUT /internal/presence/{user_id}` | gateway | `PresenceSet` of the interface → 204 |
| presence `POST /internal/presence/active` | notifier | `Ids` → `Ids`: those who are connected and active |
"""

from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id, Seq
from synctalk_contracts.models import Presence, User


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


class PushQuestions(Contract):
    items: list[PushQuestion]


class PushAnswer(Contract):
    member: bool
    delivered: bool
    read: bool
    deleted: bool
    """The message is deleted: nothing to announce."""
    badge: int
    """The person's unread messages in all conversations."""


class PushAnswers(Contract):
    items: list[PushAnswer]


class PresenceQuestion(Contract):
    asker_id: Id
    user_ids: list[Id]


class Presences(Contract):
    items: list[Presence]


class PresenceSnapshot(Presences):
    strangers: list[Id]
    """Of those asked, who shares no conversation with the asker: their changes must not be passed on."""


class Lease(Contract):
    user_id: Id
    connection_id: str


class LeaseReport(Contract):
    """What one gateway holds: sent when sockets come and go, and for all of them once a renewal interval."""

    gateway: str
    held: list[Lease]
    """Opened or still open: alive for another lease time."""
    released: list[Lease]
    """Closed."""
