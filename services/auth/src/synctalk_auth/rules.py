"""The rules of passwords, sessions, signing keys and addresses, as pure functions to which the time is passed."""

import ipaddress
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol, TypeVar

MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 256

DENY_MARGIN = timedelta(seconds=60)
"""Added to every span in which a token could still be taken for good: verifiers' leeway and clocks that differ."""


def password_problem(password: str, username: str, common: frozenset[str]) -> str | None:
    """Return why this password may not be chosen, or None. Its length was checked where it was read."""
    folded = password.casefold()
    if folded == username.casefold():
        return "must not be the username"
    if folded in common or len(set(folded)) == 1:
        return "must not be a common password"
    return None


def refresh_expires_at(now: datetime, idle: timedelta, session_expires_at: datetime) -> datetime:
    """A refresh token ends unused, or with its session."""
    return min(now + idle, session_expires_at)


def deny_until(revoked_at: datetime, access_ttl: timedelta) -> datetime:
    """From when on no access token of a session that ended then can be alive."""
    return revoked_at + access_ttl + DENY_MARGIN


class Timed(Protocol):
    """A signing key, as far as its times go."""

    @property
    def signs_from(self) -> datetime: ...


K = TypeVar("K", bound=Timed)


def key_in_use(keys: Sequence[K], now: datetime) -> K | None:
    """The key that signs now: the latest that has begun, or the first one where a clock is behind."""
    begun = [key for key in keys if key.signs_from <= now]
    if begun:
        return max(begun, key=lambda key: key.signs_from)
    return min(keys, key=lambda key: key.signs_from, default=None)


def keys_over(keys: Sequence[K], now: datetime, access_ttl: timedelta) -> list[K]:
    """Keys whose last token has ended: a later key began to sign longer ago than a token lives."""
    begun = sorted((key for key in keys if key.signs_from <= now), key=lambda key: key.signs_from)
    return [key for key, successor in pairwise(begun) if deny_until(successor.signs_from, access_ttl) <= now]


def new_key_signs_from(keys: Sequence[Timed], now: datetime, rotation: timedelta, ahead: timedelta) -> datetime | None:
    """Return when the key that has to be made now begins to sign; None: none has to be made yet."""
    newest = max((key.signs_from for key in keys), default=None)
    if newest is None:
        return now
    if newest > now or newest + rotation - ahead > now:
        return None
    return max(newest + rotation, now + ahead)


def address_blocks(address: str) -> tuple[str, ...]:
    """Return the address as `client_address` names it and, of IPv6, the larger blocks that one customer may have."""
    try:
        network = ipaddress.ip_network(address)
    except ValueError:
        return (address,)
    if network.version == 4:
        return (address,)
    return (address, *(str(network.supernet(new_prefix=length)) for length in (56, 48)))


_USERNAME = re.compile(r"[a-z0-9_.-]{3,32}")


def may_be_a_username(text: str) -> bool:
    """Return whether it can be the name of an account; `text` is in lower case."""
    return _USERNAME.fullmatch(text) is not None
