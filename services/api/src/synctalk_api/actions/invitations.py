"""Limits on bringing other users into conversations: by how many are named, by the day, and by who is unrelated.

Membership needs no consent, so its cost must grow with the number of users whom it concerns. The buckets of a day hold
a day's allowance and refill evenly.
"""

from collections.abc import Sequence

from synctalk_runtime.errors import ConflictError
from synctalk_runtime.limits import Limit, Limiter

from synctalk_api.settings import Settings
from synctalk_api.store import members, sharing
from synctalk_api.store.stores import Store, Stores

DAY_S = 86_400


class Invitations:
    def __init__(self, stores: Stores, limiter: Limiter, settings: Settings) -> None:
        self._stores = stores
        self._limiter = limiter
        self._named = Limit("api_named", settings.named_rate_per_s, settings.named_burst)
        self._groups = _daily("api_groups", settings.groups_per_day)
        self._unrelated = _daily("api_unrelated", settings.unrelated_per_day)
        self._groups_max = settings.invited_groups_max

    async def take_named(self, user_id: str, count: int) -> None:
        """Pay for naming so many users; a group as large as groups may be costs a full bucket at most.

        Raises RateLimitedError.
        """
        await self._limiter.take(self._named, user_id, min(count, self._named.burst))

    async def take_group(self, user_id: str) -> None:
        """Pay for a new group. Raises RateLimitedError."""
        await self._limiter.take(self._groups, user_id)

    async def take_unrelated(self, user_id: str, others: Sequence[str]) -> None:
        """Pay for those of the others who share no conversation with the user so far. Raises RateLimitedError."""

        async def unrelated(store: Store) -> set[str]:
            async with store.postgres.connection() as conn:
                return await sharing.unrelated(conn, user_id, others)

        answers = await self._stores.everywhere(unrelated)
        count = len(set.intersection(*answers.values))
        if count:
            await self._limiter.take(self._unrelated, user_id, min(count, self._unrelated.burst))

    async def require_space(self, others: Sequence[str]) -> None:
        """Raise ConflictError naming those whom others have put into too many groups."""

        async def invited(store: Store) -> dict[str, int]:
            async with store.postgres.connection() as conn:
                return await members.times_invited(conn, others, self._groups_max)

        answers = await self._stores.everywhere(invited)
        full = [each for each in others if sum(groups[each] for groups in answers.values) >= self._groups_max]
        if full:
            raise ConflictError("Some of these users are already in too many groups.", details={"user_ids": full})


def _daily(name: str, allowance: int) -> Limit:
    return Limit(name, allowance / DAY_S, allowance)
