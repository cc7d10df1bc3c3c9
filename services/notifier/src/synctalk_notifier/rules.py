"""Which messages to push, when to retry, and how memberships fold. Pure; the time comes in as `now`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from synctalk_contracts.internal import PushAnswer

from synctalk_notifier.kinds import Level, Membership, MembershipChange


def wants_push(level: Level, muted_until: datetime | None, *, mentioned: bool, now: datetime) -> bool:
    """Return whether the user's settings for the conversation allow a push."""
    if muted_until is not None and muted_until > now:
        return False
    return level == "all" or (level == "mentions" and mentioned)


class Decision(StrEnum):
    """Push, or why not."""

    PUSH = "push"
    NOT_MEMBER = "not_member"
    DELETED = "deleted"
    READ = "read"
    ACTIVE = "active"
    GOT = "got"


def should_push(answer: PushAnswer, *, active: bool, got: bool) -> Decision:
    """Decide, after the delay, whether a message is still to be pushed to a device.

    `active`: the user uses some device now. `got`: this very device has received the message. That an idle device of
    the same user has it does not count: nobody looks at it.
    """
    if not answer.member:
        return Decision.NOT_MEMBER
    if answer.deleted:
        return Decision.DELETED
    if answer.read:
        return Decision.READ
    if active:
        return Decision.ACTIVE
    if got:
        return Decision.GOT
    return Decision.PUSH


def needs_retraction(decision: Decision) -> bool:
    """Return whether a device that may show the push has to retract it."""
    return decision in (Decision.READ, Decision.DELETED)


@dataclass(frozen=True, slots=True)
class RetryLimits:
    """The limits of retries."""

    attempts: int
    backoff_s: float
    backoff_max_s: float
    max_age_s: float


def retry_at(
    limits: RetryLimits, attempts: int, created_at: datetime, now: datetime, *, asked_s: float | None, jitter: float
) -> datetime | None:
    """Return when to retry after so many attempts, or None to give up. Never sooner than FCM asked (`Retry-After`).

    `jitter` is a random number in [0, 1): half of the pause is fixed, so that a crowd spreads out.
    """
    if attempts >= limits.attempts:
        return None
    own_s = min(limits.backoff_s * 2 ** (attempts - 1), limits.backoff_max_s)
    pause_s = max(own_s * (0.5 + jitter), asked_s or 0.0)
    at = now + timedelta(seconds=pause_s)
    return at if at <= created_at + timedelta(seconds=limits.max_age_s) else None


def fold_memberships(changes: Iterable[MembershipChange]) -> list[Membership]:
    """Return one membership for each user and conversation, in key order, whatever order the changes came in."""
    folded: dict[tuple[str, str], Membership] = {}
    for change in sorted(changes, key=lambda c: c.change_seq):
        key = (change.conversation_id, change.user_id)
        before = folded.get(key)
        stays = change.present and before is not None and before.present
        joined_seq = before.joined_seq if stays and before is not None else change.change_seq
        folded[key] = Membership(*key, change.present, joined_seq, change.change_seq)
    return [folded[key] for key in sorted(folded)]
