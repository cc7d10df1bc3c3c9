"""Rebuild the projection of memberships from api: after events were lost, or for a new database.

Safe while events come in, and to repeat: the higher `change_seq` holds, whoever writes first.
"""

import structlog
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_notifier.actions.incoming import apply_memberships
from synctalk_notifier.clients.upstreams import Upstreams
from synctalk_notifier.kinds import MembershipChange

log = structlog.get_logger()


async def rebuild(postgres: Postgres, upstreams: Upstreams, after: str | None) -> int:
    """Read all memberships, page by page from `after` on. Return how many there were.

    Every page is logged with the `after` of the next, from which an interrupted run continues.

    Raises:
        UnavailableError: api or the database does not answer; what was read until then is written.
    """
    count = 0
    while True:
        page = await upstreams.memberships(after)
        changes = [
            MembershipChange(m.conversation_id, m.user_id, m.present, m.change_seq, m.direct) for m in page.items
        ]
        async with postgres.transaction() as conn:
            await apply_memberships(conn, changes, utc_now())
        count += len(changes)
        after = page.next
        log.info("rebuild.page", memberships=count, after=after)
        if after is None:
            return count
