"""What is old goes: messages long decided, pushes long sent, and those that could not be sent in time."""

from datetime import timedelta

from synctalk_runtime.ids import utc_now

from synctalk_notifier.actions.metrics import PUSHES, WAITING
from synctalk_notifier.parts import Parts
from synctalk_notifier.store import heard, pushes


async def sweep(parts: Parts) -> None:
    now, settings = utc_now(), parts.settings
    async with parts.postgres.connection() as conn:
        await heard.forget(conn, now - timedelta(seconds=settings.heard_keep_s))
        await pushes.forget_sent(conn, now - timedelta(seconds=settings.sent_keep_s))
        given_up = await pushes.give_up(conn, now - timedelta(seconds=settings.push_max_age_s), now)
        waiting = await pushes.count_waiting(conn)
    PUSHES.labels("any", "too_old").inc(given_up)
    WAITING.set(waiting)
