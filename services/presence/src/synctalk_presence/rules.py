"""The rules of presence, as pure functions to which the time is passed."""

from dataclasses import dataclass, replace
from datetime import datetime

from synctalk_contracts.models import LastSeenVisible, Presence, PresenceStatus
from synctalk_contracts.sockets import CustomStatus, PresenceSet

from synctalk_presence.user_presence import Appearance, UserPresence


@dataclass(frozen=True, slots=True)
class Sharing:
    """Of some users, who shares a conversation with the viewer."""

    anyhow: frozenset[str] = frozenset()
    direct: frozenset[str] = frozenset()
    """Those who share a direct one."""


def shown(user: UserPresence) -> Presence:
    """Return the presence as those see it who share a conversation; last seen is not there unless everyone sees it.

    An invisible user looks like one who does not exist.
    """
    if user.status == "invisible":
        return unknown(user.user_id)
    if user.connected:
        return _presence(user, _connected_status(user), None)
    return _presence(user, PresenceStatus.OFFLINE, user.last_seen_at if user.last_seen_visible == "everyone" else None)


def unknown(user_id: str) -> Presence:
    """Return what is shown of an unrelated user, whoever it is."""
    return Presence(user_id=user_id, status=PresenceStatus.OFFLINE, custom_status=None, last_seen_at=None)


def own(user: UserPresence) -> Presence:
    """Return the presence as the user sees it, hidden fields included. Invisible reads `offline`, as others see it."""
    if not user.connected:
        return _presence(user, PresenceStatus.OFFLINE, user.last_seen_at)
    status = PresenceStatus.OFFLINE if user.status == "invisible" else _connected_status(user)
    return _presence(user, status, None)


def _connected_status(user: UserPresence) -> PresenceStatus:
    """Return the status of a connected user: away when idle on all devices; `dnd` stays."""
    if user.status == "online" and user.idle:
        return PresenceStatus.AWAY
    return PresenceStatus(user.status)


def _presence(user: UserPresence, status: PresenceStatus, last_seen_at: datetime | None) -> Presence:
    return Presence(
        user_id=user.user_id,
        status=status,
        custom_status=user.custom_status,
        last_seen_at=last_seen_at,
        status_emoji=user.status_emoji,
        status_expires_at=user.status_expires_at,
    )


def appearance(user: UserPresence) -> Appearance:
    return Appearance(user, shown(user), own(user))


def seen_by(user: UserPresence, viewer: UserPresence, sharing: Sharing) -> Presence:
    """Return what the viewer sees."""
    if user.user_id == viewer.user_id:
        return own(user)
    if user.user_id not in sharing.anyhow:
        return unknown(user.user_id)
    is_direct = user.user_id in sharing.direct
    sees = _is_open(user.last_seen_visible, is_direct=is_direct) and _is_open(
        viewer.last_seen_visible, is_direct=is_direct
    )
    return shown(user).model_copy(update={"last_seen_at": last_seen_of(user) if sees else None})


def _is_open(visible: LastSeenVisible, *, is_direct: bool) -> bool:
    """Return whether one shows when one was last seen to somebody with whom one shares a conversation."""
    return visible == "everyone" or (visible == "contacts" and is_direct)


def last_seen_of(user: UserPresence) -> datetime | None:
    """Return when the user was last seen, for those who may know; None while there is nothing to know."""
    if user.connected or user.status == "invisible" or user.last_seen_visible == "nobody":
        return None
    return user.last_seen_at


def arrived(user: UserPresence) -> UserPresence:
    """Always a new version: whoever was about to decide that they have left must find it changed."""
    return replace(user, connected=True, version=user.version + 1)


def departed(user: UserPresence, looked_at_version: int, seen_at: datetime) -> UserPresence:
    """Left, unless something changed since one looked: then it is decided anew, later."""
    if not user.connected or user.version != looked_at_version:
        return user
    last_seen_at = max(seen_at, user.last_seen_at or seen_at)
    return replace(user, connected=False, idle=False, last_seen_at=last_seen_at, version=user.version + 1)


def turned(user: UserPresence, *, idle: bool) -> UserPresence:
    """Idle from now on, or active; of one who has left meanwhile neither is said."""
    if not user.connected or user.idle == idle:
        return user
    return replace(user, idle=idle, version=user.version + 1)


def merged(user: UserPresence, wanted: PresenceSet, now: datetime) -> UserPresence:
    """Return the presence with the given fields changed; a custom status that is empty or has ended is none."""
    given = {name: getattr(wanted, name) for name in wanted.model_fields_set}
    if "custom_status" in given:
        given |= _custom_status(given["custom_status"], now)
    if isinstance(given.get("last_seen_visible"), bool):
        given["last_seen_visible"] = "everyone" if given["last_seen_visible"] else "nobody"
    changed = replace(user, **given)
    return user if changed == user else replace(changed, version=user.version + 1)


def _custom_status(given: CustomStatus | str | None, now: datetime) -> dict[str, str | datetime | None]:
    if not isinstance(given, CustomStatus):
        given = CustomStatus(text=given)
    is_over = given.expires_at is not None and given.expires_at <= now
    if is_over or not (given.text or given.emoji):
        given = CustomStatus()
    return {
        "custom_status": given.text or None,
        "status_emoji": given.emoji,
        "status_expires_at": given.expires_at,
    }


def expired(user: UserPresence, now: datetime) -> UserPresence:
    """Return the presence without a custom status that has ended."""
    if user.status_expires_at is None or user.status_expires_at > now:
        return user
    return replace(user, custom_status=None, status_emoji=None, status_expires_at=None, version=user.version + 1)
