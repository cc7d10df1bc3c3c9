"""Users: a projection of auth's accounts, with the names and pictures they chose. Auth is asked for unknown ones."""

from collections.abc import Sequence
from dataclasses import dataclass

from synctalk_contracts.events.users import UserUpdated
from synctalk_contracts.models import User
from synctalk_runtime import outbox
from synctalk_runtime.errors import NotFoundError
from synctalk_runtime.outbox import OutboxRelay
from synctalk_runtime.postgres import Postgres

from synctalk_api import rules
from synctalk_api.actions.profiles import ProfilePublisher
from synctalk_api.clients.accounts import Accounts
from synctalk_api.store import users


@dataclass(frozen=True, slots=True)
class Users:
    postgres: Postgres
    reads: Postgres
    accounts: Accounts
    relay: OutboxRelay
    profiles: ProfilePublisher

    async def registered(self, user_ids: Sequence[str]) -> dict[str, User]:
        """Return those who are registered, by id. Raises UnavailableError when auth must be asked and is away."""
        wanted = list(dict.fromkeys(user_ids))
        found = await self.known(wanted)
        missing = [user_id for user_id in wanted if user_id not in found]
        if not missing:
            return found
        learned = await self.accounts.by_ids(missing)
        if learned:
            await self.learn(learned)
            found = await self.known(wanted)
        return found

    async def known(self, user_ids: Sequence[str]) -> dict[str, User]:
        """Return those who are known here, by id, without asking auth."""
        async with self.postgres.connection() as conn:
            return await users.by_ids(conn, user_ids)

    async def learn(self, registered: Sequence[User]) -> None:
        """Add users who are registered at auth; those who are known already stay as they are."""
        async with self.postgres.transaction() as conn:
            await users.add(conn, registered)

    async def get(self, user_id: str) -> User:
        user = (await self.registered([user_id])).get(user_id)
        if user is None:
            raise NotFoundError
        return user

    async def update_profile(self, user_id: str, fields: dict[str, str | None]) -> User:
        """Change the named fields of the user, with an event when something did change."""
        await self.get(user_id)
        async with self.postgres.transaction() as conn:
            user = await users.lock(conn, user_id)
            if user is None:
                raise NotFoundError
            changed = user.model_copy(update=fields)
            if changed == user:
                return user
            changed_at = await users.update(conn, changed)
            await outbox.add(conn, [UserUpdated(user=changed, changed_at=changed_at)])
        self.relay.wake()
        self.profiles.changed(user_id)
        return changed

    async def search(
        self, beginning: str, position: tuple[str, str] | None, limit: int
    ) -> list[tuple[tuple[str, str], User]]:
        """Find users by the beginning of the username or of a word of the display name.

        Returns (position, user), one more than `limit`.
        """
        phrase = rules.folded(beginning)[: rules.MAX_PHRASE_CHARS]
        if not phrase:
            return []
        async with self.reads.connection() as conn:
            found = await users.search(conn, phrase, position, limit + 1)
        return [((at, user.id), user) for at, user in found]
