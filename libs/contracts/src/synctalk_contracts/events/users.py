"""People: auth tells of a new one, api tells how they call themselves now."""

from typing import ClassVar

from synctalk_contracts.envelope import Event
from synctalk_contracts.models import User


class UserRegistered(Event):
    NAME: ClassVar[str] = "user.registered"
    user: User


class UserUpdated(Event):
    NAME: ClassVar[str] = "user.updated"
    user: User
