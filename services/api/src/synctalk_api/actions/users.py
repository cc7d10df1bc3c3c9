"""People: a projection of auth's, with what they call themselves. Who is not known here yet is asked for at auth."""

from collections.abc import Sequence

from synctalk_contracts.events.users import UserUpdated
from synctalk_contracts.models import User
from synctalk_runtime import outbox
from synctalk_runtime.errors import NotFoundError

from synctalk_api import rules
from synctalk_api.parts import Parts
from synctalk_api.store import users


async def known(parts: Parts, user_ids: Sequence[str]) -> dict[str, User]:
    """Those who are registered, by id. Raises UnavailableError when auth must be asked and does not answer."""
    wanted = list(dict.fromkeys(user_ids))
    found = await already_known(parts, wanted)
    missing = [user_id for user_id in wanted if user_id not in found]
    if not missing:
        return found
    told = await parts.accounts.by_ids(missing)
    if told:
        await learn(parts, told)
        found = await already_known(parts, wanted)
    return found


async def already_known(parts: Parts, user_ids: Sequence[str]) -> dict[str, User]:
    """Those who are known here, without asking auth."""
    async with parts.postgres.connection() as conn:
        return await users.by_ids(conn, user_ids)


async def learn(parts: Parts, people: Sequence[User]) -> None:
    """Auth says that they are registered; said again it changes nothing."""
    async with parts.postgres.transaction() as conn:
        await users.add(conn, people)


async def get(parts: Parts, user_id: str) -> User:
    user = (await known(parts, [user_id])).get(user_id)
    if user is None:
        raise NotFoundError
    return user


async def update_profile(parts: Parts, user_id: str, fields: dict[str, str | None]) -> User:
    """Change the named fields of one's own; the bus hears of it when something did change."""
    await get(parts, user_id)
    async with parts.postgres.transaction() as conn:
        user = await users.lock(conn, user_id)
        if user is None:
            raise NotFoundError
        changed = user.model_copy(update=fields)
        if changed == user:
            return user
        await users.update(conn, changed)
        await outbox.add(conn, [UserUpdated(user=changed)])
    parts.relay.wake()
    return changed


async def search(
    parts: Parts, beginning: str, position: tuple[str, str] | None, limit: int
) -> list[tuple[tuple[str, str], User]]:
    """(position, person), one more than `limit`, by the beginning of the username or of a word of the display name."""
    phrase = rules.folded(beginning)[: rules.MAX_PHRASE_CHARS]
    if not phrase:
        return []
    async with parts.postgres.connection() as conn:
        found = await users.search(conn, phrase, position, limit + 1)
    return [((at, user.id), user) for at, user in found]
