"""Search messages in the conversations of a user.

Searches have few connections of their own and a deadline, so that they never slow down writes. Conversations are
searched in rounds, the most recently active first, until every hit is newer than all that is left: a common word needs
few rounds.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from synctalk_contracts.models import SearchHit
from synctalk_runtime.errors import UnavailableError
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api import terms
from synctalk_api.actions import sizes
from synctalk_api.actions.access import require_member
from synctalk_api.store import messages, search
from synctalk_api.store.messages import MessageRow
from synctalk_api.store.search import Hit, Searched

ROUNDS = (10, 40, 150)
"""Conversations in each of the first rounds; the last round has the rest."""

Position = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Search:
    reads: Postgres
    slots: asyncio.Semaphore
    """One for each connection that searches may have at once; the others are left to other reads."""
    timeout_s: float
    conversations_max: int
    page_bytes_max: int

    async def find(
        self, user_id: str, text: str, conversation_id: str | None, position: Position | None, limit: int
    ) -> tuple[list[SearchHit], bool]:
        """Return the newest messages with these words, newest first, and whether there are more.

        A page of large messages is shorter than `limit`.

        Raises:
            UnavailableError: it would have taken longer than a search may.
        """
        wanted = terms.query(text)
        try:
            async with asyncio.timeout(self.timeout_s):
                async with self.slots, self.reads.connection() as conn:
                    places = await self._places(conn, user_id, conversation_id)
                    rows = await _newest(conn, places, wanted.tsquery, position, limit + 1) if wanted else []
        except TimeoutError as error:
            raise UnavailableError from error
        hits = [SearchHit(message=row.to_model(), highlight=await _highlight(row, wanted)) for row in rows if wanted]
        shown = sizes.fitting((hit.message for hit in hits[:limit]), self.page_bytes_max)
        return hits[:shown], len(hits) > shown

    async def _places(self, conn: Connection, user_id: str, conversation_id: str | None) -> list[Searched]:
        if conversation_id is None:
            return await search.conversations(conn, user_id, self.conversations_max)
        await require_member(conn, conversation_id, user_id)
        return await search.conversation(conn, conversation_id)


async def _newest(
    conn: Connection, places: Sequence[Searched], tsquery: str, position: Position | None, limit: int
) -> list[MessageRow]:
    hits: list[Hit] = []
    for some, rest in _rounds(places):
        hits += await search.found(conn, some, tsquery, position, limit)
        hits = sorted(hits, key=lambda hit: (hit.created_at, hit.id), reverse=True)[:limit]
        if len(hits) == limit and rest and hits[-1].created_at > rest[0].active_at:
            break
    wanted = [(hit.conversation_id, hit.seq) for hit in hits]
    rows = await messages.by_seqs(conn, wanted) if wanted else {}
    return [rows[place] for place in wanted if place in rows and rows[place].deleted_at is None]


def _rounds(places: Sequence[Searched]) -> Iterator[tuple[Sequence[Searched], Sequence[Searched]]]:
    """Yield the places of each round, and those that are left after it."""
    at = 0
    for size in (*ROUNDS, len(places)):
        if places[at:]:
            yield places[at : at + size], places[at + size :]
            at += size


async def _highlight(row: MessageRow, wanted: terms.Query) -> str:
    await asyncio.sleep(0)  # a long body takes milliseconds: others have their turn between two
    return terms.highlighted(row.body, wanted)
