"""What a person wants to be told of a conversation."""

from datetime import datetime

from synctalk_contracts.models import NotificationSettings
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.tokens import Person

from synctalk_notifier.kinds import Level
from synctalk_notifier.parts import Parts
from synctalk_notifier.store import members, settings


async def put(parts: Parts, person: Person, conversation_id: str, level: Level, muted_until: datetime | None) -> None:
    """Raises NotFoundError when the person is no member."""
    await _require_member(parts, person, conversation_id)
    async with parts.postgres.connection() as conn:
        await settings.put(conn, conversation_id, person.user_id, level, muted_until)


async def get(parts: Parts, person: Person, conversation_id: str) -> NotificationSettings:
    """The defaults where none were put. Raises NotFoundError when the person is no member."""
    await _require_member(parts, person, conversation_id)
    async with parts.postgres.connection() as conn:
        return await settings.get(conn, conversation_id, person.user_id)


async def _require_member(parts: Parts, person: Person, conversation_id: str) -> None:
    """api knows: one just added is a member, one just removed is none. Without api, what was heard has to do."""
    try:
        member = await parts.neighbours.is_member(conversation_id, person.user_id)
    except UnavailableError:
        async with parts.postgres.connection() as conn:
            member = await members.is_member(conn, conversation_id, person.user_id)
        if not member:
            raise
    if not member:
        raise NotFoundError
