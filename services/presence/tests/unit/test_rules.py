from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from synctalk_contracts.models import LastSeenVisible, Presence, PresenceStatus
from synctalk_contracts.sockets import PresenceSet
from synctalk_presence import rules
from synctalk_presence.rules import Sharing
from synctalk_presence.user_presence import UserPresence

ME = "00000000-0000-7000-8000-000000000001"
OTHER = "00000000-0000-7000-8000-000000000002"
SEEN = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
NOW, LATER = SEEN + timedelta(hours=1), SEEN + timedelta(hours=2)
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
        ({"last_seen_visible": "nobody"}, look("offline", "at lunch", None), look("offline", "at lunch", SEEN)),
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
    last_seen_visible=st.sampled_from(["everyone", "contacts", "nobody"]),
    connected=st.booleans(),
    idle=st.booleans(),
    last_seen_at=st.none() | st.just(SEEN),
    version=st.integers(0, 9),
)


@given(USERS)
def test_seen_by__an_unrelated_user__is_alike_for_everybody(user: UserPresence) -> None:
    assert rules.seen_by(user, UserPresence(OTHER), Sharing()) == NOTHING == rules.unknown(ME)


@given(USERS)
def test_seen_by__anybody__of_the_invisible__is_as_of_the_unknown(user: UserPresence) -> None:
    assert (
        rules.seen_by(replace(user, status="invisible"), UserPresence(OTHER), Sharing(frozenset({ME}), frozenset({ME})))
        == NOTHING
    )


@given(USERS)
def test_seen_by__oneself__does_not_need_a_conversation(user: UserPresence) -> None:
    assert rules.seen_by(user, user, Sharing()) == rules.own(user)


@pytest.mark.parametrize(
    ("visible", "of_viewer", "direct", "sees"),
    [
        ("everyone", "everyone", False, True),
        ("contacts", "everyone", False, False),
        ("contacts", "everyone", True, True),
        ("nobody", "everyone", True, False),
        ("everyone", "contacts", False, False),
        ("everyone", "contacts", True, True),
        ("everyone", "nobody", True, False),
        ("contacts", "contacts", True, True),
    ],
)
def test_seen_by__last_seen__needs_that_both_show_theirs(
    visible: LastSeenVisible, of_viewer: LastSeenVisible, direct: bool, sees: bool
) -> None:
    user = replace(ADA, connected=False, last_seen_at=SEEN, last_seen_visible=visible)
    sharing = Sharing(frozenset({user.user_id}), frozenset({user.user_id}) if direct else frozenset())
    seen = rules.seen_by(user, UserPresence(OTHER, last_seen_visible=of_viewer), sharing)
    assert (seen.last_seen_at, seen.custom_status) == (SEEN if sees else None, ADA.custom_status)


@given(USERS)
def test_shown__last_seen__is_null_while_connected_or_hidden(user: UserPresence) -> None:
    if user.connected or user.last_seen_visible != "everyone":
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
        (
            '{"custom_status": {"text": "lunch", "emoji": "\U0001f35c", "expires_at": "2026-01-02T05:04:05Z"}}',
            {"custom_status": "lunch", "status_emoji": "\U0001f35c", "status_expires_at": LATER},
        ),
        ('{"custom_status": {"emoji": "\u2764"}}', {"custom_status": None, "status_emoji": "\u2764\ufe0f"}),
        ('{"custom_status": {"text": " ", "expires_at": "2026-01-02T05:04:05Z"}}', {"custom_status": None}),
        ('{"custom_status": {"text": "lunch", "expires_at": "2026-01-02T04:04:05Z"}}', {"custom_status": None}),
        ('{"last_seen_visible": false}', {"last_seen_visible": "nobody"}),
        ('{"last_seen_visible": "contacts"}', {"last_seen_visible": "contacts"}),
        (
            '{"status": "away", "custom_status": "x", "last_seen_visible": false}',
            {"status": "away", "custom_status": "x", "last_seen_visible": "nobody"},
        ),
    ],
)
def test_merged__given_fields__change_and_no_others(wanted: str, changes: dict[str, object]) -> None:
    merged = rules.merged(ADA, PresenceSet.model_validate_json(wanted), NOW)
    assert merged == replace(ADA, version=5, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wanted", ["{}", '{"last_seen_visible": true}', '{"status": "online"}', '{"custom_status": "at lunch"}']
)
def test_merged__nothing_different__is_no_new_version(wanted: str) -> None:
    assert rules.merged(ADA, PresenceSet.model_validate_json(wanted), NOW) is ADA


def test_merged__a_text_alone__has_no_emoji_and_no_end() -> None:
    before = replace(ADA, status_emoji="\U0001f35c", status_expires_at=LATER)
    after = rules.merged(before, PresenceSet(custom_status="busy"), NOW)
    assert (after.custom_status, after.status_emoji, after.status_expires_at) == ("busy", None, None)


def test_expired__at_its_end__is_nothing_and_before_it_stays() -> None:
    user = replace(ADA, status_emoji="\U0001f35c", status_expires_at=LATER)
    assert rules.expired(user, NOW) is user
    assert rules.expired(user, LATER) == replace(ADA, custom_status=None, version=5)
    assert rules.expired(ADA, LATER) is ADA
