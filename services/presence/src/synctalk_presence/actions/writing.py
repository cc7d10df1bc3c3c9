"""Writing presence: what a user chooses, and what a gateway reports of its connections."""

from dataclasses import dataclass

from synctalk_contracts.internal import LeaseReport
from synctalk_contracts.sockets import PresenceSet
from synctalk_runtime.ids import utc_now
from synctalk_runtime.limits import Limit, Limiter

from synctalk_presence import rules
from synctalk_presence.actions.changes import Changes
from synctalk_presence.store.leases import Leases
from synctalk_presence.user_presence import UserPresence


@dataclass(frozen=True, slots=True)
class Writing:
    changes: Changes
    leases: Leases
    limiter: Limiter
    limit: Limit

    async def set(self, user_id: str, wanted: PresenceSet) -> None:
        """Set the given fields; others are notified if they see a difference.

        Raises:
            RateLimitedError: the user's bucket is empty; REST and sockets share it.
        """
        await self.limiter.take(self.limit, user_id)

        now = utc_now()

        def merged(user: UserPresence) -> UserPresence:
            return rules.merged(user, wanted, now)

        await self.changes.apply([user_id], merged)

    async def report(self, given: LeaseReport) -> None:
        """Renew and end leases. A user with a first lease is online when this returns.

        A user whose last lease was released is left to the sweep: they may come back within the grace.
        """
        arrivals = await self.leases.report(given.held, given.released)
        await self.changes.apply(arrivals, rules.arrived, arrived=True)
