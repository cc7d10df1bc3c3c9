"""Auth's copy of the users' profiles: other services look it up, and it follows the events of api."""

from collections.abc import Sequence

from synctalk_contracts.events.users import UserUpdated
from synctalk_contracts.models import User
from synctalk_runtime.postgres import Postgres

from synctalk_auth.store import users


async def look_up(postgres: Postgres, user_ids: Sequence[str]) -> list[User]:
    """Unknown ones are left out."""
    async with postgres.connection() as conn:
        return await users.by_ids(conn, user_ids)


async def follow(postgres: Postgres, events: Sequence[UserUpdated]) -> None:
    """Update profiles from events. Of several events of one user the latest wins, in whatever order they arrive."""
    latest: dict[str, UserUpdated] = {}
    for event in events:
        if event.user.id not in latest or not _is_older(event, latest[event.user.id]):
            latest[event.user.id] = event
    in_order = [latest[user_id] for user_id in sorted(latest)]
    async with postgres.connection() as conn:
        await users.follow_profiles(conn, [e.user for e in in_order], [e.changed_at for e in in_order])


def _is_older(event: UserUpdated, other: UserUpdated) -> bool:
    return event.changed_at is not None and other.changed_at is not None and event.changed_at < other.changed_at
