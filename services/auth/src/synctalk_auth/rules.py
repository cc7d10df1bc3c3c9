"""What is allowed and what is due: passwords, sessions, signing keys, addresses. Pure functions; the time comes in."""

import ipaddress
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Protocol, TypeVar

MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 256

DENY_MARGIN = timedelta(seconds=60)
"""Added to every span in which a token could still be taken for good: verifiers' leeway and clocks that differ."""


def password_problem(password: str, username: str, common: frozenset[str]) -> str | None:
    """Why this password may not be chosen, or None. Its length was checked where it was read."""
    folded = password.casefold()
    if folded == username.casefold():
        return "must not be the username"
    if folded in common or len(set(folded)) == 1:
        return "is one of the most common passwords"
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
    """When the key that has to be made now begins to sign; None: none has to be made yet."""
    newest = max((key.signs_from for key in keys), default=None)
    if newest is None:
        return now
    if newest > now or newest + rotation - ahead > now:
        return None
    return max(newest + rotation, now + ahead)


def client_address(peer: str, forwarded_for: Sequence[str], *, trusted: bool) -> str:
    """Whom limits by address count: the hop that the edge wrote last; of IPv6 the /64 that one customer has."""
    hop = forwarded_for[-1].rsplit(",", 1)[-1].strip() if trusted and forwarded_for else peer
    try:
        address = ipaddress.ip_address(hop)
    except ValueError:
        return peer
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((int(address), 64), strict=False))
    return str(address)
