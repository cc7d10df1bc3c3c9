"""A person's devices."""

from synctalk_contracts.models import Device
from synctalk_runtime.errors import UnauthenticatedError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.tokens import Person

from synctalk_notifier.errors import TooManyDevicesError
from synctalk_notifier.kinds import Platform
from synctalk_notifier.parts import Parts
from synctalk_notifier.store import devices


async def put(parts: Parts, person: Person, device_id: str, platform: Platform, token: str) -> None:
    """The device is the caller's session's from now on, and the token is nobody else's.

    Raises:
        TooManyDevicesError: the person has as many as may be.
    """
    device = devices.Device(person.user_id, device_id, person.session_id, platform, token, utc_now())
    async with parts.postgres.transaction() as conn:
        await devices.lock_token_and_person(conn, token, person.user_id)
        is_new = not await devices.exists(conn, person.user_id, device_id)
        if is_new and await devices.count(conn, person.user_id) >= parts.settings.devices_per_person:
            raise TooManyDevicesError
        await devices.put(conn, device)
    if parts.revocations.is_revoked(person.session_id):  # it ended while this was written
        await remove_of_sessions(parts, [person.session_id])
        raise UnauthenticatedError


async def list_own(parts: Parts, person: Person) -> list[Device]:
    """Oldest first."""
    async with parts.postgres.connection() as conn:
        found = await devices.of_person(conn, person.user_id)
    return [Device(device_id=d.device_id, platform=d.platform, created_at=d.created_at) for d in found]


async def remove(parts: Parts, person: Person, device_id: str) -> None:
    """Gone afterwards, whether it was there or not; with it what was still to be sent to it."""
    async with parts.postgres.connection() as conn:
        await devices.delete(conn, person.user_id, device_id)


async def remove_of_sessions(parts: Parts, session_ids: list[str]) -> None:
    async with parts.postgres.connection() as conn:
        await devices.delete_of_sessions(conn, session_ids)
