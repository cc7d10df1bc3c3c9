"""People as auth knows them: looked up by neighbours, and kept near to what api says of them."""

from collections.abc import Sequence

from synctalk_contracts.events.users import UserUpdated
from synctalk_contracts.models import User

from synctalk_auth.parts import Parts
from synctalk_auth.store import users


async def look_up(parts: Parts, user_ids: Sequence[str]) -> list[User]:
    """Unknown ones are left out."""
    async with parts.postgres.connection() as conn:
        return await users.by_ids(conn, user_ids)


async def follow(parts: Parts, events: Sequence[UserUpdated]) -> None:
    """Take over what people call themselves now; of several events of one person the last holds."""
    latest = {event.user.id: event.user for event in events}
    async with parts.postgres.connection() as conn:
        await users.follow_profiles(conn, [latest[user_id] for user_id in sorted(latest)])
