"""Which messages to push, when to retry, and how memberships fold. Pure; the time comes in as `now`."""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from synctalk_contracts.internal import PushAnswer

from synctalk_notifier.kinds import Level, Membership, MembershipChange, QuietHours


def wants_push(level: Level, muted_until: datetime | None, *, meant: bool, now: datetime) -> bool:
    """Return whether the user's settings for the conversation allow a push.

    `meant`: the message is meant for the user, by a mention or in a direct conversation.
    """
    if muted_until is not None and muted_until > now:
        return False
    return level == "all" or (level == "mentions" and meant)


def is_quiet(hours: QuietHours | None, now: datetime) -> bool:
    """Return whether the time is within the user's quiet hours. From a time until the same time is never."""
    if hours is None:
        return False
    local = now.astimezone(ZoneInfo(hours.time_zone))
    minute = local.hour * 60 + local.minute
    if hours.start <= hours.end:
        return hours.start <= minute < hours.end
    return minute >= hours.start or minute < hours.end


class Decision(StrEnum):
    """Push, or why not."""

    PUSH = "push"
    NOT_MEMBER = "not_member"
    DELETED = "deleted"
    READ = "read"
    ACTIVE = "active"
    DND = "dnd"
    GOT = "got"


def should_push(answer: PushAnswer, *, unwanted: Decision | None, got: bool) -> Decision:
    """Decide, after the delay, whether a message is still to be pushed to a device.

    `unwanted`: why the user gets no push at all now, `ACTIVE` or `DND`. `got`: this very device has the message.
    That an idle device of the same user has it does not count: nobody looks at it.
    """
    if not answer.member:
        return Decision.NOT_MEMBER
    if answer.deleted:
        return Decision.DELETED
    if answer.read:
        return Decision.READ
    if unwanted is not None:
        return unwanted
    if got:
        return Decision.GOT
    return Decision.PUSH


_STAND_IN = re.compile(r"http://[A-Za-z0-9.:\[\]-]{1,255}(/dev/webpush/[A-Za-z0-9._~-]{1,256})", re.ASCII)


def stand_in_path(endpoint: str) -> str | None:
    """Return the path of an endpoint of the stand-in, None for any other endpoint."""
    found = _STAND_IN.fullmatch(endpoint)
    return found.group(1) if found else None


def unpadded(text: str) -> bytes:
    """Decode base64url with or without padding. Raises ValueError."""
    return base64.b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4), altchars=b"-_", validate=True)


def is_subscription_key(p256dh: str, auth: str) -> bool:
    """Return whether the keys of a subscription have the form of a point on P-256 and a secret of 16 bytes."""
    try:
        point, secret = unpadded(p256dh), unpadded(auth)
    except ValueError:
        return False
    return len(point) == 65 and point[0] == 4 and len(secret) == 16


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
        direct = change.direct or (before is not None and before.direct)
        folded[key] = Membership(*key, change.present, joined_seq, change.change_seq, direct)
    return [folded[key] for key in sorted(folded)]
