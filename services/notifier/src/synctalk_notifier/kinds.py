"""The words and shapes that rules and store have in common."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["all", "mentions", "none"]
"""What a person wants to be told of a conversation."""

Platform = Literal["android", "ios", "web"]

PushKind = Literal["message", "retract"]


@dataclass(frozen=True, slots=True)
class MembershipChange:
    """What one event says."""

    conversation_id: str
    user_id: str
    present: bool
    change_seq: int


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's place in a conversation, as far as it was heard."""

    conversation_id: str
    user_id: str
    present: bool
    joined_seq: int
    """The change with which they came in: of earlier messages they are not told."""
    change_seq: int
    """The latest change heard: what is older changes nothing."""
