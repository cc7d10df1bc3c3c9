from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synctalk_contracts.models import Presence, PresenceStatus
from synctalk_contracts.sockets import PresenceSet
from synctalk_presence import rules
from synctalk_presence.user_presence import UserPresence

ME = "00000000-0000-7000-8000-000000000001"
OTHER = "00000000-0000-7000-8000-000000000002"
SEEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
ADA = UserPresence(ME, custom_status="at lunch", last_seen_at=SEEN, version=4)


def look(status: str, custom: str | None, seen: datetime | None) -> Presence:
    return Presence(user_id=ME, status=PresenceStatus(status), custom_status=custom, last_seen_at=seen)


NOTHING = look("offline", None, None)


@pytest.mark.parametrize(
    ("changes", "shown", "own"),
    [
        ({}, look("offline", "at lunch", SEEN), look("offline", "at lunch", SEEN)),
        ({"connected": True}, look("online", "at lunch", None), look("online", "at lunch", None)),
        ({"connected": True, "status": "away"}, look("away", "at lunch", None), look("away", "at lunch", None)),
        ({"connected": True, "status": "dnd"}, look("dnd", "at lunch", None), look("dnd", "at lunch", None)),
        ({"connected": True, "idle": True}, look("away", "at lunch", None), look("away", "at lunch", None)),
        (
            {"connected": True, "idle": True, "status": "dnd"},
            look("dnd", "at lunch", None),
            look("dnd", "at lunch", None),
        ),
        ({"connected": True, "idle": True, "status": "invisible"}, NOTHING, look("offline", "at lunch", None)),
        ({"status": "dnd"}, look("offline", "at lunch", SEEN), look("offline", "at lunch", SEEN)),
        ({"connected": True, "status": "invisible"}, NOTHING, look("offline", "at lunch", None)),
        ({"status": "invisible"}, NOTHING, look("offline", "at lunch", SEEN)),
        ({"last_seen_visible": False}, look("offline", "at lunch", None), look("offline", "at lunch", SEEN)),
        ({"last_seen_at": None, "custom_status": None}, NOTHING, NOTHING),
    ],
)
def test_appearance__of_each_state__is_as_agreed(changes: dict[str, object], shown: Presence, own: Presence) -> None:
    user = replace(ADA, **changes)  # type: ignore[arg-type]
    assert rules.shown(user) == shown
    assert rules.own(user) == own


USERS = st.builds(
    UserPresence,
    user_id=st.just(ME),
    status=st.sampled_from(["online", "away", "dnd", "invisible"]),
    custom_status=st.none() | st.just("hello"),
    last_seen_visible=st.booleans(),
    connected=st.booleans(),
    idle=st.booleans(),
    last_seen_at=st.none() | st.just(SEEN),
    version=st.integers(0, 9),
)


@given(USERS)
def test_seen_by__an_unrelated_user__is_alike_for_everybody(user: UserPresence) -> None:
    assert rules.seen_by(user, OTHER, frozenset()) == NOTHING == rules.unknown(ME)


@given(USERS)
def test_seen_by__anybody__of_the_invisible__is_as_of_the_unknown(user: UserPresence) -> None:
    assert rules.seen_by(replace(user, status="invisible"), OTHER, frozenset({ME})) == NOTHING


@given(USERS)
def test_seen_by__oneself__does_not_need_a_conversation(user: UserPresence) -> None:
    assert rules.seen_by(user, ME, frozenset()) == rules.own(user)


@given(USERS)
def test_shown__last_seen__is_null_while_connected_or_hidden(user: UserPresence) -> None:
    if user.connected or not user.last_seen_visible:
        assert rules.shown(user).last_seen_at is None


def test_arrived__twice__is_a_new_version_each_time() -> None:
    once = rules.arrived(ADA)
    assert (once.connected, once.version) == (True, 5)
    assert rules.arrived(once).version == 6


def test_departed__when_something_changed_since__stays() -> None:
    here = replace(ADA, connected=True)
    assert rules.departed(here, here.version - 1, SEEN) is here


def test_departed__when_not_connected__changes_nothing() -> None:
    assert rules.departed(ADA, ADA.version, SEEN + timedelta(hours=1)) is ADA


@pytest.mark.parametrize(("before", "expected"), [(None, SEEN), (SEEN - timedelta(days=1), SEEN)])
def test_departed__last_seen__is_kept(before: datetime | None, expected: datetime) -> None:
    gone = rules.departed(replace(ADA, connected=True, last_seen_at=before), ADA.version, SEEN)
    assert (gone.connected, gone.last_seen_at, gone.version) == (False, expected, 5)


def test_departed__last_seen__never_goes_back() -> None:
    gone = rules.departed(replace(ADA, connected=True), ADA.version, SEEN - timedelta(days=1))
    assert gone.last_seen_at == SEEN


def test_departed__when_idle__comes_back_active() -> None:
    assert rules.departed(replace(ADA, connected=True, idle=True), ADA.version, SEEN).idle is False


def test_turned__idle_and_back__is_a_version_each() -> None:
    idle = rules.turned(replace(ADA, connected=True), idle=True)
    assert (idle.idle, idle.version) == (True, 5)
    assert rules.turned(idle, idle=True) is idle
    assert rules.turned(idle, idle=False).version == 6


def test_turned__who_has_left__stays_as_they_are() -> None:
    assert rules.turned(ADA, idle=True) is ADA


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        ('{"status": "dnd"}', {"status": "dnd"}),
        ('{"custom_status": null}', {"custom_status": None}),
        ('{"custom_status": "   "}', {"custom_status": None}),
        ('{"custom_status": " busy "}', {"custom_status": "busy"}),
        ('{"last_seen_visible": false}', {"last_seen_visible": False}),
        (
            '{"status": "away", "custom_status": "x", "last_seen_visible": false}',
            {"status": "away", "custom_status": "x", "last_seen_visible": False},
        ),
    ],
)
def test_merged__given_fields__change_and_no_others(wanted: str, changes: dict[str, object]) -> None:
    merged = rules.merged(ADA, PresenceSet.model_validate_json(wanted))
    assert merged == replace(ADA, version=5, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("wanted", ["{}", '{"status": "online"}', '{"custom_status": "at lunch"}'])
def test_merged__nothing_different__is_no_new_version(wanted: str) -> None:
    assert rules.merged(ADA, PresenceSet.model_validate_json(wanted)) is ADA


@pytest.mark.parametrize(("status", "active"), [("online", True), ("dnd", True), ("invisible", True), ("away", False)])
def test_is_active__by_status(status: str, active: bool) -> None:
    assert rules.is_active(replace(ADA, status=status)) is active  # type: ignore[arg-type]
