"""Which messages to push, when to retry, and how memberships fold."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from synctalk_contracts.internal import PushAnswer
from synctalk_notifier.kinds import Level, Membership, MembershipChange, QuietHours
from synctalk_notifier.rules import (
    Decision,
    RetryLimits,
    fold_memberships,
    is_quiet,
    needs_retraction,
    retry_at,
    should_push,
    wants_push,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)


@pytest.mark.parametrize(
    ("level", "muted_until", "meant", "wanted"),
    [
        ("none", None, False, False),
        ("none", None, True, False),
        ("mentions", None, False, False),
        ("mentions", None, True, True),
        ("mentions", LATER, True, False),
        ("all", LATER, False, False),
        ("all", LATER, True, False),
        ("all", NOW, False, True),
        ("all", EARLIER, False, True),
        ("all", None, False, True),
        ("all", None, True, True),
    ],
)
def test_wants_push(level: Level, muted_until: datetime | None, meant: bool, wanted: bool) -> None:
    assert wants_push(level, muted_until, meant=meant, now=NOW) is wanted


def answer(*, member: bool = True, read: bool = False, deleted: bool = False) -> PushAnswer:
    return PushAnswer(member=member, delivered=True, read=read, deleted=deleted, badge=1)


@pytest.mark.parametrize(
    ("said", "unwanted", "got", "decision"),
    [
        (answer(member=False), None, False, Decision.NOT_MEMBER),
        (answer(member=False, read=True), Decision.ACTIVE, True, Decision.NOT_MEMBER),
        (answer(deleted=True), None, False, Decision.DELETED),
        (answer(read=True), None, True, Decision.READ),
        (answer(), Decision.ACTIVE, False, Decision.ACTIVE),
        (answer(), Decision.DND, True, Decision.DND),
        (answer(), None, True, Decision.GOT),
        (answer(), None, False, Decision.PUSH),
    ],
)
def test_should_push(said: PushAnswer, unwanted: Decision | None, got: bool, decision: Decision) -> None:
    assert should_push(said, unwanted=unwanted, got=got) is decision


@pytest.mark.parametrize(
    ("hours", "at", "quiet"),
    [
        (("22:00", "07:00"), "22:00", True),
        (("22:00", "07:00"), "03:30", True),
        (("22:00", "07:00"), "06:59", True),
        (("22:00", "07:00"), "07:00", False),
        (("22:00", "07:00"), "21:59", False),
        (("12:00", "13:00"), "12:59", True),
        (("12:00", "13:00"), "13:00", False),
        (("12:00", "13:00"), "11:59", False),
        (("08:00", "08:00"), "08:00", False),
    ],
)
def test_is_quiet__by_the_clock_of_the_zone(hours: tuple[str, str], at: str, quiet: bool) -> None:
    start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in hours)
    for zone in ("Europe/Berlin", "Asia/Kolkata", "America/St_Johns"):
        now = datetime.fromisoformat(f"2026-07-01T{at}:30").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        assert is_quiet(QuietHours(start, end, zone), now) is quiet
    assert is_quiet(None, NOW) is False


def test_withdraws__only_what_was_read_or_deleted() -> None:
    assert [decision for decision in Decision if needs_retraction(decision)] == [Decision.DELETED, Decision.READ]


PATIENCE = RetryLimits(attempts=4, backoff_s=1, backoff_max_s=3, max_age_s=100)


def pause(attempts: int, *, asked_s: float | None = None, jitter: float = 0.5, age_s: float = 0) -> float | None:
    at = retry_at(PATIENCE, attempts, NOW - timedelta(seconds=age_s), NOW, asked_s=asked_s, jitter=jitter)
    return None if at is None else (at - NOW).total_seconds()


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1.0), (2, 2.0), (3, 3.0), (4, None), (5, None)])
def test_retry_at__doubles_up_to_the_bound_and_ends(attempts: int, seconds: float | None) -> None:
    assert pause(attempts) == seconds


def test_retry_at__jitter__spreads_from_half_to_one_and_a_half() -> None:
    assert pause(1, jitter=0.0) == 0.5
    assert pause(1, jitter=0.999) == 1.499


def test_retry_at__retry_after__is_never_sooner_than_asked() -> None:
    assert pause(1, asked_s=60) == 60
    assert pause(3, asked_s=1) == 3


def test_retry_at__would_be_too_old__gives_up() -> None:
    assert pause(1, asked_s=101) is None
    assert pause(1, age_s=99.5) is None


def change(present: bool, change_seq: int, user_id: str = "ada") -> MembershipChange:
    return MembershipChange("c", user_id, present, change_seq)


def test_fold_memberships__any_order__is_the_same() -> None:
    changes = [change(True, 1), change(False, 4), change(True, 6), change(True, 9)]
    for shuffled in permutations(changes):
        assert fold_memberships(shuffled) == [Membership("c", "ada", True, joined_seq=6, change_seq=9)]


def test_fold_memberships__role_change__keeps_when_they_came() -> None:
    assert fold_memberships([change(True, 1), change(True, 5)]) == [Membership("c", "ada", True, 1, 5)]


def test_fold_memberships__several_users__in_key_order() -> None:
    folded = fold_memberships([change(True, 1, "bob"), change(False, 2, "ada"), change(True, 1, "ada")])
    assert [(m.user_id, m.present) for m in folded] == [("ada", False), ("bob", True)]
