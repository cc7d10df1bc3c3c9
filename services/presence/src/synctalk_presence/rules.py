"""Who is shown as what, and how a person's presence changes. Pure functions; the time comes in."""

from dataclasses import replace
from datetime import datetime

from synctalk_contracts.models import Presence, PresenceStatus
from synctalk_contracts.sockets import PresenceSet

from synctalk_presence.person import Appearance, Person


def shown(person: Person) -> Presence:
    """As those see them who share a conversation with them. An invisible person looks like one who does not exist."""
    if person.status == "invisible":
        return unknown(person.user_id)
    if person.connected:
        return _presence(person, PresenceStatus(person.status), None)
    return _presence(person, PresenceStatus.OFFLINE, person.last_seen_at if person.last_seen_visible else None)


def unknown(user_id: str) -> Presence:
    """As everybody looks to a stranger."""
    return Presence(user_id=user_id, status=PresenceStatus.OFFLINE, custom_status=None, last_seen_at=None)


def own(person: Person) -> Presence:
    """As they see themselves: what is hidden from others too. Invisible reads `offline`, which is what others see."""
    if not person.connected:
        return _presence(person, PresenceStatus.OFFLINE, person.last_seen_at)
    status = PresenceStatus.OFFLINE if person.status == "invisible" else PresenceStatus(person.status)
    return _presence(person, status, None)


def _presence(person: Person, status: PresenceStatus, last_seen_at: datetime | None) -> Presence:
    return Presence(
        user_id=person.user_id, status=status, custom_status=person.custom_status, last_seen_at=last_seen_at
    )


def appearance(person: Person) -> Appearance:
    return Appearance(person, shown(person), own(person))


def seen_by(person: Person, asker_id: str, sharing: frozenset[str]) -> Presence:
    """`sharing`: those who share a conversation with the asker."""
    if person.user_id == asker_id:
        return own(person)
    return shown(person) if person.user_id in sharing else unknown(person.user_id)


def is_active(person: Person) -> bool:
    """Of a person with a live connection: would see a message now, so that no push is needed."""
    return person.status != "away"


def arrived(person: Person) -> Person:
    """Always a new version: whoever was about to decide that they have left must find it changed."""
    return replace(person, connected=True, version=person.version + 1)


def departed(person: Person, looked_at_version: int, seen_at: datetime) -> Person:
    """Left, unless something changed since one looked: then it is decided anew, later."""
    if not person.connected or person.version != looked_at_version:
        return person
    last_seen_at = max(seen_at, person.last_seen_at or seen_at)
    return replace(person, connected=False, last_seen_at=last_seen_at, version=person.version + 1)


def merged(person: Person, wanted: PresenceSet) -> Person:
    """Only the given fields change; a blank custom status is none."""
    given = wanted.model_dump(include=wanted.model_fields_set)
    if isinstance(text := given.get("custom_status"), str):
        given["custom_status"] = text.strip() or None
    changed = replace(person, **given)
    return person if changed == person else replace(changed, version=person.version + 1)
