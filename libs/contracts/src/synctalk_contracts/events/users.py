"""Users: auth publishes that one has registered, was given a profile or deactivated, api that a profile has changed."""

from typing import Any, ClassVar

from synctalk_contracts.envelope import Event
from synctalk_contracts.ids import Id, Timestamp
from synctalk_contracts.models import EraseMode, User


class UserRegistered(Event):
    NAME: ClassVar[str] = "user.registered"
    user: User
    external_id: str | None = None


class ProfileProvided(Event):
    """A host app changed a user. api, which owns name and picture, takes over what is not null."""

    NAME: ClassVar[str] = "profile.provided"
    user_id: Id
    display_name: str | None
    avatar_url: str | None
    avatar_removed: bool = False
    username: str | None = None
    metadata: dict[str, Any] | None = None


class UserDeactivated(Event):
    """A user may not sign in any more; the sessions are revoked. Memberships and messages stay."""

    NAME: ClassVar[str] = "user.deactivated"
    user_id: Id
    external_id: str | None = None


class UserReactivated(Event):
    """A user who was deactivated, and not erased, is back."""

    NAME: ClassVar[str] = "user.reactivated"
    user_id: Id
    external_id: str | None = None


class ErasureRequested(Event):
    """A deactivated user's messages, or what shows who wrote them, have to go. Auth has erased what it has."""

    NAME: ClassVar[str] = "erasure.requested"
    user_id: Id
    mode: EraseMode
    user: User
    """As the user is shown from now on."""


class ErasureCompleted(Event):
    """api has erased what was requested."""

    NAME: ClassVar[str] = "erasure.completed"
    user_id: Id
    mode: EraseMode


class GuestClaimed(Event):
    """A guest has ended, and its messages and memberships are the user's. Auth refuses its tokens already."""

    NAME: ClassVar[str] = "guest.claimed"
    guest_id: Id
    user_id: Id


class UserUpdated(Event):
    NAME: ClassVar[str] = "user.updated"
    user: User
    changed_at: Timestamp | None = None
    """By api's database, written while the user's row was locked: of two events of one user the later wins."""
