"""The rules of passwords, sessions, signing keys and addresses, as pure functions to which the time is passed."""

import ipaddress
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise
from math import isfinite
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote, urlsplit

from synctalk_contracts.ids import MENTION_ALL, external_id

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


FOREIGN_SKEW_S = 60


class TokenTimes(Enum):
    """What the times in a foreign token say."""

    GOOD = "good"
    EXPIRED = "expired"
    WRONG = "wrong"
    """Of another type, or from the future."""


def token_times(claims: Mapping[str, Any], now: datetime) -> TokenTimes:
    """Judge `exp`, `iat` and, if it is there, `nbf`, with a minute of skew."""
    times = [claims["exp"], claims["iat"], claims.get("nbf", 0)]
    if any(isinstance(time, bool) or not isinstance(time, int | float) or not isfinite(time) for time in times):
        return TokenTimes.WRONG
    ends_at, issued_at, begins_at = times
    unix_now = now.timestamp()
    if max(issued_at, begins_at) > unix_now + FOREIGN_SKEW_S:
        return TokenTimes.WRONG
    return TokenTimes.EXPIRED if ends_at + FOREIGN_SKEW_S <= unix_now else TokenTimes.GOOD


def external_id_of(prefix: str, subject: object) -> str | None:
    """Return the external id of a foreign token's `sub`, in NFC; None: it can't be one."""
    if not isinstance(subject, str) or not subject:
        return None
    try:
        return external_id(prefix + subject)
    except ValueError:
        return None


GUEST_PREFIX = "guest-"
DELETED_PREFIX = "deleted-"
RESERVED_USERNAMES = (GUEST_PREFIX, DELETED_PREFIX)
"""What usernames that a user chooses may not begin with."""
SYSTEM_USERNAME = "system"
"""Of the built-in bot, where no user had it before."""
_MAX_USERNAME_CHARS = 32


def is_reserved(username: str) -> bool:
    return username == SYSTEM_USERNAME or username.startswith(RESERVED_USERNAMES)


def deleted_username(user_id: str) -> str:
    """Return the username of a user who was erased; it ends in the random part of the id, so nobody has it yet."""
    return DELETED_PREFIX + user_id.replace("-", "")[-24:]


def usernames_like(wanted: str, suffixes: Sequence[str]) -> list[str]:
    """Return valid usernames that resemble a text, the closest first; those after it end in the suffixes."""
    ascii_only = unicodedata.normalize("NFKD", wanted).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9_.-]+", "-", ascii_only.partition("@")[0]).strip("-.")[:_MAX_USERNAME_CHARS]
    if is_reserved(base) or base in ("", MENTION_ALL):
        base = "user"
    with_suffixes = [f"{base[: _MAX_USERNAME_CHARS - 1 - len(suffix)]}-{suffix}" for suffix in suffixes]
    return [base, *with_suffixes] if len(base) >= 3 and base != "user" else with_suffixes


_EXTERNAL_PREFIX = "external:"
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def user_name(name: str) -> tuple[str | None, str | None]:
    """Return the id, or the external id of `external:` with a percent-encoded rest; two Nones: it is neither."""
    if not name.startswith(_EXTERNAL_PREFIX):
        return (name.lower(), None) if _UUID.fullmatch(name) else (None, None)
    try:
        decoded = unquote(name.removeprefix(_EXTERNAL_PREFIX), errors="strict")
    except UnicodeDecodeError:
        return None, None
    return None, external_id_of("", decoded)


_RANDOM_TEXT = re.compile(r"[A-Za-z0-9_-]{43}")
_PLAIN = re.compile(r"[!-\[\]-~]{1,2048}")
"""Visible ASCII without the backslash, which browsers take for a slash."""


def is_random_text(text: str) -> bool:
    """Return whether it has the form of our random texts of 256 bits."""
    return _RANDOM_TEXT.fullmatch(text) is not None


def may_return_to(target: str, origins: Sequence[str]) -> bool:
    """Return whether a browser that goes there stays with us: a path, or a URL of one of the origins."""
    if not _PLAIN.fullmatch(target) or "#" in target:
        return False
    if target.startswith("/"):
        return not target.startswith("//")
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    return f"{parts.scheme}://{parts.netloc}" in origins
