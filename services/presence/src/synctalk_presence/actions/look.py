"""Questions about people: as one sees the others, and who needs no push."""

from collections.abc import Sequence

from synctalk_contracts.internal import PresenceSnapshot
from synctalk_contracts.models import Presence
from synctalk_runtime.limits import Limit

from synctalk_presence import rules
from synctalk_presence.parts import Parts
from synctalk_presence.store import people


async def look(parts: Parts, asker_id: str, user_ids: Sequence[str]) -> list[Presence]:
    """The items of `snapshot`, bounded by the asker's bucket. Raises RateLimitedError."""
    limit = Limit("presence_read", parts.settings.read_per_s, parts.settings.read_burst)
    await parts.limiter.take(limit, asker_id)
    return (await snapshot(parts, asker_id, user_ids)).items


async def snapshot(parts: Parts, asker_id: str, user_ids: Sequence[str]) -> PresenceSnapshot:
    """One for each asked, in that order, repeats too; a stranger, an invisible and an unknown person look alike.

    Who is a stranger is for the gateways alone, which must not pass on changes of theirs.
    """
    distinct = dict.fromkeys(user_ids)
    sharing = await parts.contacts.sharing(asker_id, [u for u in distinct if u != asker_id])
    async with parts.postgres.connection() as conn:
        known = await people.read(conn, distinct)
    return PresenceSnapshot(
        items=[rules.seen_by(known[user_id], asker_id, sharing) for user_id in user_ids],
        strangers=[user_id for user_id in distinct if user_id != asker_id and user_id not in sharing],
    )


async def active(parts: Parts, user_ids: Sequence[str]) -> list[str]:
    """Who has an open connection, invisible or not, and is not away: they see a message without a push."""
    live = await parts.leases.live(list(dict.fromkeys(user_ids)))
    async with parts.postgres.connection() as conn:
        known = await people.read(conn, live)
    return [user_id for user_id in dict.fromkeys(user_ids) if user_id in live and rules.is_active(known[user_id])]
