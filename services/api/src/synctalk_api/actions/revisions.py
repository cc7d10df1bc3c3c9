"""Read what an edited message said before."""

from dataclasses import dataclass

from synctalk_contracts.models import Revision
from synctalk_runtime.errors import ForbiddenError, NotFoundError

from synctalk_api import rights
from synctalk_api.actions.access import require_reader
from synctalk_api.rights import Operation
from synctalk_api.store import conversations, messages, revisions
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class Revisions:
    stores: Stores

    async def page(
        self, user_id: str, conversation_id: str, message_id: str, after: int, limit: int
    ) -> tuple[list[Revision], int | None]:
        """Return earlier texts, the oldest first, and the change after which the next page begins (None: none).

        Raises NotFoundError, and ForbiddenError for who is not the sender and has no right to it.
        """
        async with self.stores.reading(conversation_id) as conn:
            seen_as = await conversations.kind_and_role(conn, conversation_id, user_id)
            found = await messages.by_ids(conn, [(conversation_id, message_id)])
            begins_after = await require_reader(conn, conversation_id, user_id)
            if seen_as is None or not found or found[conversation_id, message_id].seq <= begins_after:
                raise NotFoundError
            is_own = found[conversation_id, message_id].sender_id == user_id
            if not is_own and not rights.may(Operation.SEE_REVISIONS, *seen_as):
                raise ForbiddenError
            rows = await revisions.page(conn, conversation_id, message_id, after, limit + 1)
        rest = rows[limit - 1][0] if len(rows) > limit else None
        return [revision for _, revision in rows[:limit]], rest
