"""Who has left: decided here, some people at a time, by whichever process comes first.

PostgreSQL first (last seen), then the announcement; whoever is claimed and not finished comes again.
"""

from prometheus_client import Gauge
from synctalk_runtime.ids import utc_now

from synctalk_presence import rules
from synctalk_presence.actions.change import change
from synctalk_presence.parts import Parts
from synctalk_presence.person import Person
from synctalk_presence.store import people

OVERDUE = Gauge("presence_overdue", "People who wait for the sweep beyond the batch that it has taken.")


async def sweep(parts: Parts) -> bool:
    """Decide about those who are due; whether there are more. Raises UnavailableError: they come again."""
    taken, more = await parts.leases.take()
    OVERDUE.set(await parts.leases.overdue() if more else 0)
    if not taken:
        return False
    # The versions are read before the leases: who arrives after that look has a newer one, and is not sent off.
    async with parts.postgres.connection() as conn:
        looked_at = await people.read(conn, taken)
    standings = await parts.leases.settle(taken)
    now = utc_now()
    seen_at = {s.user_id: s.seen_at or now for s in standings if s.gone}

    def departed(person: Person) -> Person:
        return rules.departed(person, looked_at[person.user_id].version, seen_at[person.user_id])

    await change(parts, list(seen_at), departed)
    await change(parts, [s.user_id for s in standings if s.live and not s.counted], rules.arrived, arrived=True)
    await change(parts, [s.user_id for s in standings if s.pending and s.counted and not s.gone], _as_they_are)
    return more


def _as_they_are(person: Person) -> Person:
    return person


async def scrub(parts: Parts, after: str) -> str:
    """Plan a look at those who count as connected and whose leases were lost with Redis; where to go on."""
    async with parts.postgres.connection() as conn:
        page = await people.connected_after(conn, after, parts.settings.scrub_batch)
    await parts.leases.watch(page)
    return page[-1] if len(page) == parts.settings.scrub_batch else people.FIRST
