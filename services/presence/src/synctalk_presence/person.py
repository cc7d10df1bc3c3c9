"""What presence knows of a person: what they chose, and what was decided about their being here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from synctalk_contracts.models import Presence

ChosenStatus = Literal["online", "away", "dnd", "invisible"]


@dataclass(frozen=True, slots=True)
class Person:
    """A person who was never seen and chose nothing is all defaults."""

    user_id: str
    status: ChosenStatus = "online"
    custom_status: str | None = None
    last_seen_visible: bool = True
    connected: bool = False
    """As decided: through a short absence too."""
    last_seen_at: datetime | None = None
    version: int = 0
    """Rises with every change; the higher one is the newer."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """A person, and how they look."""

    person: Person
    shown: Presence
    """To those who share a conversation with them."""
    own: Presence

    @property
    def user_id(self) -> str:
        return self.person.user_id
