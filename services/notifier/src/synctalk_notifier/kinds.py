"""Types that rules and store share."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["all", "mentions", "none"]
"""Which messages of a conversation a user gets pushes for."""

Content = Literal["full", "sender", "none"]
"""What a push says of its message."""

Platform = Literal["android", "ios", "web"]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Web Push: where a browser gets pushes, and its keys in base64url."""

    endpoint: str
    p256dh: str
    auth: str


PushKind = Literal["message", "retract"]


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """A change of one membership."""

    conversation_id: str
    user_id: str
    present: bool
    change_seq: int
    direct: bool = False
    """Of a direct conversation."""


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Every day from `start` until before `end`, as minutes of the day in the time zone; it may pass midnight."""

    start: int
    end: int
    time_zone: str


@dataclass(frozen=True, slots=True)
class SettingsChanges:
    """What to change of a user's settings: None leaves a field as it is, `sets_quiet_hours` says it of those."""

    level: Level | None = None
    content: Content | None = None
    sets_quiet_hours: bool = False
    quiet_from: str | None = None
    quiet_to: str | None = None
    time_zone: str | None = None


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
    direct: bool = False
