"""The presence of a user: what they chose, and whether they were found connected or idle."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from synctalk_contracts.models import Presence

ChosenStatus = Literal["online", "away", "dnd", "invisible"]


@dataclass(frozen=True, slots=True)
class UserPresence:
    """The defaults are those of a user who was never seen and chose nothing."""

    user_id: str
    status: ChosenStatus = "online"
    custom_status: str | None = None
    last_seen_visible: bool = True
    connected: bool = False
    """As decided: through a short absence too."""
    idle: bool = False
    """As decided: connected, and nobody uses any of their devices."""
    last_seen_at: datetime | None = None
    version: int = 0
    """Rises with every change; the higher one is the newer."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """A user, and how they are shown."""

    user: UserPresence
    shown: Presence
    """To those who share a conversation with them."""
    own: Presence

    @property
    def user_id(self) -> str:
        return self.user.user_id
