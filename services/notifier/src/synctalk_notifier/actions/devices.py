"""A user's devices."""

from synctalk_contracts.models import Device
from synctalk_runtime.errors import InvalidError, UnauthenticatedError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.outbound import ForbiddenAddressError, InvalidUrlError, Outbound
from synctalk_runtime.postgres import Postgres
from synctalk_runtime.revocations import Revocations
from synctalk_runtime.tokens import Principal

from synctalk_notifier.errors import TooManyDevicesError
from synctalk_notifier.kinds import Platform, Subscription
from synctalk_notifier.rules import stand_in_path
from synctalk_notifier.store import devices


class Devices:
    def __init__(
        self,
        postgres: Postgres,
        revocations: Revocations,
        outbound: Outbound,
        max_per_user: int,
        *,
        has_stand_in: bool,
    ) -> None:
        self._postgres = postgres
        self._revocations = revocations
        self._outbound = outbound
        self._max_per_user = max_per_user
        self._has_stand_in = has_stand_in

    async def put(
        self,
        principal: Principal,
        device_id: str,
        platform: Platform,
        where: str | Subscription,
        locale: str | None = None,
    ) -> None:
        """Register a device for the caller's session; its token or subscription is nobody else's from now on.

        Raises:
            InvalidError: the subscription's endpoint is no https URL of a public address.
            TooManyDevicesError: the user has as many as allowed.
            UnauthenticatedError: the session ended meanwhile.
        """
        subscription = where if isinstance(where, Subscription) else None
        if subscription is not None:
            await self._check_endpoint(subscription.endpoint)
        token = where.endpoint if isinstance(where, Subscription) else where
        device = devices.Device(
            principal.user_id,
            device_id,
            principal.session_id,
            platform,
            token,
            utc_now(),
            locale,
            subscription.p256dh if subscription else None,
            subscription.auth if subscription else None,
        )
        async with self._postgres.transaction() as conn:
            await devices.lock_token_and_user(conn, token, principal.user_id)
            is_new = not await devices.exists(conn, principal.user_id, device_id)
            if is_new and await devices.count(conn, principal.user_id) >= self._max_per_user:
                raise TooManyDevicesError
            await devices.put(conn, device)
        if self._revocations.is_revoked(principal.session_id):  # it ended while this was written
            await self.remove_of_sessions([principal.session_id])
            raise UnauthenticatedError

    async def _check_endpoint(self, endpoint: str) -> None:
        if self._has_stand_in and stand_in_path(endpoint) is not None:
            return
        try:
            await self._outbound.check(endpoint)
        except (InvalidUrlError, ForbiddenAddressError) as error:
            raise InvalidError.of("subscription.endpoint", str(error)) from error

    async def list_of(self, principal: Principal) -> list[Device]:
        """Return the caller's devices, oldest first."""
        async with self._postgres.connection() as conn:
            found = await devices.of_user(conn, principal.user_id)
        return [Device(device_id=d.device_id, platform=d.platform, created_at=d.created_at) for d in found]

    async def remove(self, principal: Principal, device_id: str) -> None:
        """Remove a device and its waiting pushes; it need not exist."""
        async with self._postgres.connection() as conn:
            await devices.delete(conn, principal.user_id, device_id)

    async def remove_of_sessions(self, session_ids: list[str]) -> None:
        """Remove the devices that these sessions registered."""
        async with self._postgres.connection() as conn:
            await devices.delete_of_sessions(conn, session_ids)
