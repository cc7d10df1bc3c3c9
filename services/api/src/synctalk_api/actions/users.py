"""Users: a projection of auth's accounts, with the names and pictures they chose. Auth is asked for unknown ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synctalk_contracts.events.users import ProfileProvided, UserUpdated
from synctalk_contracts.ids import SYSTEM_USER_ID
from synctalk_contracts.models import User
from synctalk_runtime import outbox
from synctalk_runtime.errors import NotFoundError, UnavailableError

from synctalk_api import rules
from synctalk_api.actions.profiles import ProfilePublisher
from synctalk_api.clients.accounts import Accounts
from synctalk_api.store import sharing, user_copies, users
from synctalk_api.store.stores import Store, Stores


@dataclass(frozen=True, slots=True)
class Users:
    stores: Stores
    accounts: Accounts
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

    async def eligible(self, user_ids: Sequence[str]) -> dict[str, User]:
        """Return those who may be members of a conversation, by id; raises like `registered`."""
        return await self.registered([each for each in user_ids if each != SYSTEM_USER_ID])

    async def known(self, user_ids: Sequence[str]) -> dict[str, User]:
        """Return those who are known here, by id, without asking auth.

        While the main store is away, those who are in a conversation of another one are known.
        """

        async def by_ids(store: Store) -> dict[str, User]:
            async with store.postgres.connection() as conn:
                return await users.by_ids(conn, user_ids)

        try:
            return await by_ids(self.stores.main)
        except UnavailableError:
            others = self.stores.all[1:]
            if not others:
                raise
            answers = await self.stores.each(others, by_ids)
            return {user_id: user for found in answers.values for user_id, user in found.items()}

    async def learn(self, registered: Sequence[User]) -> None:
        """Add users who are registered at auth; those who are known already stay as they are.

        No search finds the built-in bot.
        """
        async with self.stores.main.postgres.transaction() as conn:
            await users.add(conn, registered)
            if any(user.id == SYSTEM_USER_ID for user in registered):
                await users.set_deactivated(conn, SYSTEM_USER_ID, deactivated=True)

    async def get(self, user_id: str) -> User:
        user = (await self.registered([user_id])).get(user_id)
        if user is None:
            raise NotFoundError
        return user

    async def related(self, user_id: str, others: Sequence[str]) -> list[str]:
        """Return those who share a conversation with the user, and the user among them."""

        async def related(store: Store) -> list[str]:
            async with store.postgres.connection() as conn:
                return list(await sharing.contacts(conn, user_id, others))

        answers = await self.stores.everywhere(related)
        found = {user_id}.union(*answers.values)
        return [each for each in others if each in found]

    async def forget_guests(self, user_ids: Sequence[str]) -> list[str]:
        """Delete those of these guests who are and were in no conversation; return them with the unknown ones.

        Raises UnavailableError while a store is away.
        """

        async def kept(store: Store) -> set[str]:
            async with store.postgres.connection() as conn:
                return await users.not_forgettable(conn, user_ids)

        answers = await self.stores.everywhere(kept)
        if not answers.complete:
            raise UnavailableError
        forgotten = [each for each in user_ids if each not in set().union(*answers.values)]
        for store in self.stores.all:
            async with store.postgres.transaction() as conn:
                await users.forget(conn, forgotten)
        return forgotten

    async def update_profile(self, user_id: str, fields: dict[str, Any]) -> User:
        """Change the named fields of the user, with an event when something did change."""
        await self.get(user_id)
        async with self.stores.main.postgres.transaction() as conn:
            user = await users.lock(conn, user_id)
            if user is None:
                raise NotFoundError
            changed = user.model_copy(update=fields)
            if changed == user:
                return user
            changed_at = await users.update(conn, changed)
            await outbox.add(conn, [UserUpdated(user=changed, changed_at=changed_at)])
            if self.stores.several:
                await user_copies.note(conn, [store.name for store in self.stores.all[1:]], user_id)
        self.stores.main.relay.wake()
        self.profiles.changed(user_id)
        return changed

    async def give_profile(self, given: ProfileProvided) -> None:
        """Take over what a host app says of a user. Raises NotFoundError, or UnavailableError when auth is away."""
        fields: dict[str, Any] = {
            "username": given.username,
            "display_name": given.display_name,
            "avatar_url": given.avatar_url,
            "metadata": given.metadata,
        }
        fields = {name: value for name, value in fields.items() if value is not None}
        await self.update_profile(given.user_id, fields | ({"avatar_url": None} if given.avatar_removed else {}))

    async def set_deactivated(self, user_id: str, *, deactivated: bool) -> None:
        """Note whether the user may sign in: who may not is found by no search."""
        async with self.stores.main.postgres.transaction() as conn:
            await users.set_deactivated(conn, user_id, deactivated=deactivated)

    async def search(
        self, beginning: str, position: tuple[str, str] | None, limit: int
    ) -> list[tuple[tuple[str, str], User]]:
        """Find users by the beginning of the username or of a word of the display name.

        Returns (position, user), one more than `limit`.
        """
        phrase = rules.folded(beginning)[: rules.MAX_PHRASE_CHARS]
        if not phrase:
            return []
        async with self.stores.main.reads.connection() as conn:
            found = await users.search(conn, phrase, position, limit + 1)
        return [((at, user.id), user) for at, user in found]
