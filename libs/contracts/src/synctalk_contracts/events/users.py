"""Users: auth publishes that one has registered, api that a profile has changed."""

from typing import ClassVar

from synctalk_contracts.envelope import Event
from synctalk_contracts.ids import Timestamp
from synctalk_contracts.models import User


class UserRegistered(Event):
    NAME: ClassVar[str] = "user.registered"
    user: User


class UserUpdated(Event):
    NAME: ClassVar[str] = "user.updated"
    user: User
    changed_at: Timestamp | None = None
    """By api's database, written while the user's row was locked: of two events of one user the later wins."""
