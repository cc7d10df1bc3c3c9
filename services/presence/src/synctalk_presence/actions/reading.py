"""Reading presence: as one user sees others, and which users need no push."""

from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_contracts.internal import PresenceSnapshot
from synctalk_contracts.models import Presence
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
            known = await users.read(conn, distinct)
        return PresenceSnapshot(
            items=[rules.seen_by(known[user_id], viewer_id, sharing) for user_id in user_ids],
            strangers=[user_id for user_id in distinct if user_id != viewer_id and user_id not in sharing],
        )

    async def active(self, user_ids: Sequence[str]) -> list[str]:
        """Return those who use an open connection now, invisible or not, and are not away: they need no push."""
        using = await self.leases.active(list(dict.fromkeys(user_ids)))
        async with self.postgres.connection() as conn:
            known = await users.read(conn, using)
        return [user_id for user_id in dict.fromkeys(user_ids) if user_id in using and rules.is_active(known[user_id])]
