"""Remove what is old: messages scheduled long ago, pushes sent long ago, and those that could not be sent in time."""

from datetime import timedelta

import structlog
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Postgres

from synctalk_notifier.actions.metrics import PUSHES, WAITING
from synctalk_notifier.settings import Settings
from synctalk_notifier.store import incoming, pushes

log = structlog.get_logger()


async def remove_old(postgres: Postgres, settings: Settings) -> None:
    """Remove what is older than the settings say, and count what still waits."""
    now = utc_now()
    async with postgres.connection() as conn:
        await incoming.forget(conn, now - timedelta(seconds=settings.incoming_keep_s))
        too_late = await incoming.give_up(conn, now - timedelta(seconds=settings.push_max_age_s))
        await pushes.forget_sent(conn, now - timedelta(seconds=settings.sent_keep_s))
        given_up = await pushes.give_up(conn, now - timedelta(seconds=settings.push_max_age_s), now)
        waiting = await pushes.count_waiting(conn)
    if too_late:
        log.warning("incoming.given_up", batches=too_late)
    PUSHES.labels("any", "too_old").inc(given_up)
    WAITING.set(waiting)
