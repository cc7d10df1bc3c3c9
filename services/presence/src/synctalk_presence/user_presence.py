"""The presence of a user: what they chose, and whether they were found connected or idle."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from synctalk_contracts.models import LastSeenVisible, Presence

ChosenStatus = Literal["online", "away", "dnd", "invisible"]


@dataclass(frozen=True, slots=True)
class UserPresence:
    """The defaults are those of a user who was never seen and chose nothing."""

    user_id: str
    status: ChosenStatus = "online"
    custom_status: str | None = None
    status_emoji: str | None = None
    status_expires_at: datetime | None = None
    """When the custom status and its emoji end; None: they stay."""
    last_seen_visible: LastSeenVisible = "everyone"
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
    def shown_key(self) -> bytes:
        """Return what differs when it looks different to somebody else."""
        hidden = self.user.last_seen_visible != "everyone" and self.user.status != "invisible"
        if not hidden or self.user.connected or self.user.last_seen_at is None:
            return self.shown.to_bytes()
        return self.shown.to_bytes() + f"{self.user.last_seen_visible} {self.user.last_seen_at.isoformat()}".encode()

    @property
    def own_key(self) -> bytes:
        """Return what differs when it looks different to the user, or the gateways have to know more of them."""
        visible = self.user.last_seen_visible
        return self.own.to_bytes() + (b"" if visible == "everyone" else visible.encode())

    @property
    def user_id(self) -> str:
        return self.user.user_id
