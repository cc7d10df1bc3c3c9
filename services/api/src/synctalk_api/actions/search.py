"""Searching messages by words, in one's own conversations only."""

import html
from datetime import datetime

from synctalk_contracts.models import SearchHit

from synctalk_api.actions.access import require_member
from synctalk_api.parts import Parts
from synctalk_api.store import messages

BEGIN, END = "\x02", "\x03"


async def search(
    parts: Parts,
    user_id: str,
    query: str,
    conversation_id: str | None,
    position: tuple[datetime, str] | None,
    limit: int,
) -> list[SearchHit]:
    """Newest first, one more than `limit`."""
    async with parts.postgres.connection() as conn:
        if conversation_id is not None:
            await require_member(conn, conversation_id, user_id)
        found = await messages.search(conn, user_id, query, conversation_id, position, limit + 1)
    return [SearchHit(message=row.to_model(), highlight=marked(headline)) for row, headline in found]


def marked(headline: str) -> str:
    """HTML in which nothing of the text is HTML but our `<mark>`s."""
    return html.escape(headline).replace(BEGIN, "<mark>").replace(END, "</mark>")
