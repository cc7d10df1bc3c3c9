"""The rules of presence, as pure functions to which the time is passed."""

from dataclasses import replace
from datetime import datetime

from synctalk_contracts.models import Presence, PresenceStatus
from synctalk_contracts.sockets import PresenceSet

from synctalk_presence.user_presence import Appearance, UserPresence


def shown(user: UserPresence) -> Presence:
    """Return the presence as their contacts see it. An invisible user looks like one who does not exist."""
    if user.status == "invisible":
        return unknown(user.user_id)
    if user.connected:
        return _presence(user, _connected_status(user), None)
    return _presence(user, PresenceStatus.OFFLINE, user.last_seen_at if user.last_seen_visible else None)


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
    return Presence(user_id=user.user_id, status=status, custom_status=user.custom_status, last_seen_at=last_seen_at)


def appearance(user: UserPresence) -> Appearance:
    return Appearance(user, shown(user), own(user))


def seen_by(user: UserPresence, viewer_id: str, sharing: frozenset[str]) -> Presence:
    """Return what the viewer sees; `sharing` are those who share a conversation with them."""
    if user.user_id == viewer_id:
        return own(user)
    return shown(user) if user.user_id in sharing else unknown(user.user_id)


def is_active(user: UserPresence) -> bool:
    """Return whether a user with an active connection would see a message now, so that no push is needed."""
    return user.status != "away"


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


def merged(user: UserPresence, wanted: PresenceSet) -> UserPresence:
    """Return the presence with the given fields changed; an empty custom status is none."""
    given = wanted.model_dump(include=wanted.model_fields_set)
    if given.get("custom_status") == "":
        given["custom_status"] = None
    changed = replace(user, **given)
    return user if changed == user else replace(changed, version=user.version + 1)
