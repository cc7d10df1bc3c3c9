"""What is allowed and what is due."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from synctalk_auth import rules

NOW = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TTL = timedelta(minutes=15)
COMMON = frozenset({"password123"})


@dataclass(frozen=True)
class Key:
    signs_from: datetime


@pytest.mark.parametrize("password", ["password123", "PassWord123", "aaaaaaaa", "AaAaAaAa", "        ", "ada-lovelace"])
def test_password_problem__common_repeated_or_the_username__is_named(password: str) -> None:
    assert rules.password_problem(password, "Ada-Lovelace", COMMON)


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "ada-lovelace-1815", "пароль из слов", "🔑🗝🔒🔓🔐🔏🛡⚔"]
)
def test_password_problem__any_other__is_none(password: str) -> None:
    assert rules.password_problem(password, "ada-lovelace", COMMON) is None


def test_refresh_expires_at__near_the_end_of_the_session__is_cut_to_it() -> None:
    assert rules.refresh_expires_at(NOW, 30 * DAY, NOW + 90 * DAY) == NOW + 30 * DAY
    assert rules.refresh_expires_at(NOW, 30 * DAY, NOW + 3 * DAY) == NOW + 3 * DAY


def test_deny_until__is_later_than_any_token_of_the_session() -> None:
    assert rules.deny_until(NOW, TTL) > NOW + TTL + timedelta(seconds=5)


def test_new_key__none_there__signs_now() -> None:
    assert rules.new_key_signs_from([], NOW, 30 * DAY, DAY) == NOW


def test_new_key__long_before_the_rotation__is_not_due() -> None:
    assert rules.new_key_signs_from([Key(NOW - 28 * DAY)], NOW, 30 * DAY, DAY) is None


def test_new_key__a_day_before_the_rotation__signs_at_the_rotation() -> None:
    assert rules.new_key_signs_from([Key(NOW - 29 * DAY)], NOW, 30 * DAY, DAY) == NOW + DAY


def test_new_key__rotation_missed_while_nothing_ran__is_still_published_ahead() -> None:
    assert rules.new_key_signs_from([Key(NOW - 50 * DAY)], NOW, 30 * DAY, DAY) == NOW + DAY


def test_new_key__the_next_one_waits_already__is_not_due() -> None:
    assert rules.new_key_signs_from([Key(NOW - 30 * DAY), Key(NOW + DAY)], NOW, 30 * DAY, DAY) is None


def test_key_in_use__of_past_current_and_next__is_the_current() -> None:
    past, current, following = Key(NOW - 31 * DAY), Key(NOW - DAY), Key(NOW + DAY)
    assert rules.key_in_use([following, past, current], NOW) is current
    assert rules.key_in_use([following, past, current], NOW + DAY) is following


def test_key_in_use__clock_behind_the_first_key__is_that_one() -> None:
    first = Key(NOW + timedelta(seconds=2))
    assert rules.key_in_use([first], NOW) is first


def test_key_in_use__none_there__is_none() -> None:
    assert rules.key_in_use([], NOW) is None


def test_keys_over__last_token_may_live__stays() -> None:
    old, new = Key(NOW - 30 * DAY), Key(NOW)
    assert rules.keys_over([old, new], NOW + TTL, TTL) == []
    assert rules.keys_over([old, new], NOW + TTL + rules.DENY_MARGIN, TTL) == [old]


def test_keys_over__next_key_does_not_sign_yet__keeps_the_current() -> None:
    assert rules.keys_over([Key(NOW - 30 * DAY), Key(NOW + DAY)], NOW, TTL) == []
