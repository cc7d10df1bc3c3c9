"""The names that host apps give conversations, which work wherever an id does: who may not see one sees none."""

from dataclasses import dataclass

from synctalk_contracts.ids import EXTERNAL, external_id, is_id
from synctalk_runtime.errors import NotFoundError

from synctalk_api.store import conversation_names, server_conversations
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class Names:
    stores: Stores

    async def find(self, name: str) -> str | None:
        """Return the conversation of this name; None: there is none."""
        async with self.stores.main.reads.connection() as conn:
            place = await conversation_names.find(conn, name)
        if place is None or not await self.is_named(place.conversation_id, name):
            return None
        return place.conversation_id

    async def is_named(self, conversation_id: str, name: str) -> bool | None:
        """Return whether the conversation has this name; None: there is no such conversation."""
        try:
            async with self.stores.reading(conversation_id) as conn:
                is_named = await server_conversations.is_named(conn, conversation_id, name)
                if is_named is None:
                    raise NotFoundError
                return is_named
        except NotFoundError:
            return None

    async def get(self, name: str) -> str:
        """Return the conversation of this name. Raises NotFoundError."""
        found = await self.find(name)
        if found is None:
            raise NotFoundError
        return found

    async def referred(self, reference: str) -> str:
        """Return the conversation of this id or `external:ID`. Raises NotFoundError where it can be none."""
        if not reference.startswith(EXTERNAL):
            if not is_id(reference):
                raise NotFoundError
            return reference.lower()
        try:
            return await self.get(external_id(reference.removeprefix(EXTERNAL)))
        except ValueError:
            raise NotFoundError from None
