"""Reading presence: as one user sees others, and which users need no push."""

from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_contracts.internal import ActiveUsers, PresenceSnapshot
from synctalk_contracts.models import Presence, PresenceSettings
from synctalk_runtime.ids import utc_now
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.postgres import Postgres

from synctalk_presence import rules
from synctalk_presence.clients.contacts import Contacts
from synctalk_presence.store import users
from synctalk_presence.store.leases import Leases


@dataclass(frozen=True, slots=True)
class Reading:
    postgres: Postgres
    leases: Leases
    contacts: Contacts
    limiter: Limiter
    limit: Limit

    async def read(self, viewer_id: str, user_ids: Sequence[str]) -> list[Presence]:
        """Return the items of `snapshot`, bounded by the viewer's bucket. Raises RateLimitedError."""
        await self.limiter.take(self.limit, viewer_id)
        return (await self.snapshot(viewer_id, user_ids)).items

    async def snapshot(self, viewer_id: str, user_ids: Sequence[str]) -> PresenceSnapshot:
        """Return the presence of each id in its place, repeats included.

        Unrelated, invisible and unknown users look the same. Only the gateways learn who is unrelated: they must not
        pass on changes of those.
        """
        distinct = dict.fromkeys(user_ids)
        sharing = await self.contacts.sharing(viewer_id, [u for u in distinct if u != viewer_id])
        async with self.postgres.connection() as conn:
            known = await users.read(conn, [*distinct, viewer_id])
        now, viewer = utc_now(), known[viewer_id]
        return PresenceSnapshot(
            items=[rules.seen_by(rules.expired(known[user_id], now), viewer, sharing) for user_id in user_ids],
            strangers=[user_id for user_id in distinct if user_id != viewer_id and user_id not in sharing.anyhow],
            direct=[user_id for user_id in distinct if user_id in sharing.direct],
            last_seen_visible=viewer.last_seen_visible,
        )

    async def own_settings(self, user_id: str) -> PresenceSettings:
        """Return what the user has chosen. Raises RateLimitedError."""
        await self.limiter.take(self.limit, user_id)
        async with self.postgres.connection() as conn:
            user = rules.expired((await users.read(conn, [user_id]))[user_id], utc_now())
        return PresenceSettings(
            status=user.status,
            custom_status=user.custom_status,
            status_emoji=user.status_emoji,
            status_expires_at=user.status_expires_at,
            last_seen_visible=user.last_seen_visible,
        )

    async def active(self, user_ids: Sequence[str]) -> ActiveUsers:
        """Return those who need no push: who uses an open connection now, invisible or not, and is not away, and who
        is at `dnd`, connected or not."""
        distinct = list(dict.fromkeys(user_ids))
        using = await self.leases.active(distinct)
        async with self.postgres.connection() as conn:
            statuses = await users.hushed(conn, distinct)
        return ActiveUsers(
            ids=[user_id for user_id in distinct if user_id in using and statuses.get(user_id) != "away"],
            dnd=[user_id for user_id in distinct if statuses.get(user_id) == "dnd"],
        )
