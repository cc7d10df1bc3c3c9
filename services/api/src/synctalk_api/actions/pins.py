"""Read the pinned messages of a conversation."""

from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts.models import Message

from synctalk_api.actions import sizes
from synctalk_api.actions.access import require_reader
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.store import pins
from synctalk_api.store.stores import Stores


@dataclass(frozen=True, slots=True)
class Pins:
    stores: Stores
    live: LiveTexts
    page_bytes_max: int

    async def page(
        self, user_id: str | None, conversation_id: str, position: tuple[datetime, int] | None, limit: int
    ) -> tuple[list[Message], bool]:
        """Return pinned messages, the latest pin first, and whether there are more.

        A page of large messages is shorter than `limit`.
        """
        async with self.stores.reading(conversation_id) as conn:
            begins_after = await require_reader(conn, conversation_id, user_id)
            rows = await pins.page(conn, conversation_id, position, limit + 1, begins_after)
        found = await self.live.in_messages([row.to_model() for row in rows])
        shown = sizes.fitting(found[:limit], self.page_bytes_max)
        return found[:shown], len(found) > shown
