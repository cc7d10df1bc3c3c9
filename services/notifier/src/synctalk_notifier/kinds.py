"""Types that rules and store share."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["all", "mentions", "none"]
"""Which messages of a conversation a user gets pushes for."""

Platform = Literal["android", "ios", "web"]

PushKind = Literal["message", "retract"]


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """A change of one membership."""

    conversation_id: str
    user_id: str
    present: bool
    change_seq: int


@dataclass(frozen=True, slots=True)
class Membership:
    """A user's membership of a conversation, as far as it is known."""

    conversation_id: str
    user_id: str
    present: bool
    joined_seq: int
    """The change with which the user joined; earlier messages are not pushed."""
    change_seq: int
    """The latest known change; an older one changes nothing."""
