"""Whom to push to, when to try again, and who is in a conversation. Pure; the time comes in as `now`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from synctalk_contracts.internal import PushAnswer

from synctalk_notifier.kinds import Level, Membership, MembershipChange


def wants_push(level: Level, muted_until: datetime | None, *, mentioned: bool, now: datetime) -> bool:
    """Do the person's settings for the conversation allow it?"""
    if muted_until is not None and muted_until > now:
        return False
    return level == "all" or (level == "mentions" and mentioned)


class Decision(StrEnum):
    """Push, or why not."""

    PUSH = "push"
    NOT_MEMBER = "not_member"
    DELETED = "deleted"
    READ = "read"
    DELIVERED = "delivered"
    ACTIVE = "active"


def should_push(answer: PushAnswer, *, active: bool) -> Decision:
    """After the hold: is there still something to announce to this person?"""
    if not answer.member:
        return Decision.NOT_MEMBER
    if answer.deleted:
        return Decision.DELETED
    if answer.read:
        return Decision.READ
    if answer.delivered:
        return Decision.DELIVERED
    if active:
        return Decision.ACTIVE
    return Decision.PUSH


def withdraws(decision: Decision) -> bool:
    """Would a device that had shown the push have to take it back?"""
    return decision in (Decision.READ, Decision.DELETED)


@dataclass(frozen=True, slots=True)
class Patience:
    """How a push that did not get through is tried again."""

    attempts: int
    backoff_s: float
    backoff_max_s: float
    max_age_s: float


def retry_at(
    patience: Patience, attempts: int, created_at: datetime, now: datetime, *, asked_s: float | None, jitter: float
) -> datetime | None:
    """When to try again after `attempts` tries, or None: give up. Never sooner than FCM asked (`Retry-After`).

    `jitter` is a random number in [0, 1): half of the pause is fixed, so that a crowd spreads out.
    """
    if attempts >= patience.attempts:
        return None
    own_s = min(patience.backoff_s * 2 ** (attempts - 1), patience.backoff_max_s)
    pause_s = max(own_s * (0.5 + jitter), asked_s or 0.0)
    at = now + timedelta(seconds=pause_s)
    return at if at <= created_at + timedelta(seconds=patience.max_age_s) else None


def fold_memberships(changes: Iterable[MembershipChange]) -> list[Membership]:
    """One membership for each person and conversation, in key order, whatever order the changes came in."""
    folded: dict[tuple[str, str], Membership] = {}
    for change in sorted(changes, key=lambda c: c.change_seq):
        key = (change.conversation_id, change.user_id)
        before = folded.get(key)
        stays = change.present and before is not None and before.present
        joined_seq = before.joined_seq if stays and before is not None else change.change_seq
        folded[key] = Membership(*key, change.present, joined_seq, change.change_seq)
    return [folded[key] for key in sorted(folded)]
