"""Search messages in the conversations of a user.

Searches have few connections of their own and a deadline, so that they never slow down writes. Conversations are
searched in rounds, the most recently active first, until every hit is newer than all that is left: a common word needs
few rounds.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from synctalk_contracts.models import SearchHit
from synctalk_runtime.errors import InvalidError, NotFoundError, UnavailableError

from synctalk_api import tags, terms
from synctalk_api.actions import sizes
from synctalk_api.actions.threads import require_root
from synctalk_api.store import messages, search, threads
from synctalk_api.store.messages import MessageRow
from synctalk_api.store.search import Hit, Searched, Wanted
from synctalk_api.store.stores import Store, Stores
from synctalk_api.tags import Has

ROUNDS = (10, 40, 150)
"""Conversations in each of the first rounds; the last round has the rest."""
THREADS_WITH_ALL_MAX = 100
"""Threads in which a mention of everybody is found by one who follows them: the newest."""

Position = tuple[datetime, str]


@dataclass(frozen=True, slots=True)
class Question:
    """What to search for; every part that is given must hold."""

    text: str = ""
    conversation_id: str | None = None
    sender_id: str | None = None
    mentioned_id: str | None = None
    thread_id: str | None = None
    has: Sequence[Has] = ()
    after: datetime | None = None
    """The first moment."""
    before: datetime | None = None
    """The moment after the last."""
    followed_ids: Sequence[str] = ()
    """Threads that the mentioned user follows, and in which everybody is mentioned."""

    @property
    def tags(self) -> list[str]:
        return [
            *([tags.of_sender(self.sender_id)] if self.sender_id else []),
            *([tags.of_mentioned(self.mentioned_id, self.followed_ids)] if self.mentioned_id else []),
            *([tags.of_thread(self.thread_id)] if self.thread_id else []),
            *map(tags.of_having, self.has),
        ]

    @property
    def has_filters(self) -> bool:
        return bool(self.conversation_id or self.tags or self.after or self.before)


@dataclass(frozen=True, slots=True)
class Search:
    stores: Stores
    slots: asyncio.Semaphore
    """One for each connection that searches may have at once; the others are left to other reads."""
    timeout_s: float
    conversations_max: int
    page_bytes_max: int

    async def find(
        self, user_id: str, question: Question, position: Position | None, limit: int
    ) -> tuple[list[SearchHit], bool]:
        """Return the newest messages that fit the question, newest first, and whether there are more.

        A page of large messages is shorter than `limit`.

        Raises:
            InvalidError: it asks for nothing, or only for what must not occur.
            UnavailableError: it would have taken longer than a search may.
        """
        words = terms.query(question.text)
        if not question.has_filters and (not question.text or (words and words.excludes_only)):
            raise InvalidError.of("q", "must contain something to search for, unless another filter is given")
        nothing = question.text != "" and words is None
        try:
            async with asyncio.timeout(self.timeout_s):
                async with self.slots:
                    question = await self._completed(user_id, question)
                    wanted = _wanted(question, words)
                    places = await self._places(user_id, question.conversation_id)
                    rows = [] if nothing else await self._newest(places, wanted, position, limit + 1)
        except TimeoutError as error:
            raise UnavailableError from error
        hits = [await _hit(row, words) for row in rows]
        shown = sizes.fitting((hit.message for hit in hits[:limit]), self.page_bytes_max)
        return hits[:shown], len(hits) > shown

    async def _completed(self, user_id: str, question: Question) -> Question:
        """Return the question with what only the stores know of threads. Raises NotFoundError for an unknown one."""
        if question.thread_id is not None:
            conversation_id = await self._conversation_of(user_id, question.thread_id, question.conversation_id)
            question = replace(question, conversation_id=conversation_id)
        if question.mentioned_id is not None:
            question = replace(question, followed_ids=await self._with_all(question.mentioned_id))
        return question

    async def _conversation_of(self, user_id: str, thread_id: str, within: str | None) -> str:
        """Return in which conversation of the user the root of the thread is."""

        async def conversation_of(store: Store) -> str | None:
            async with store.reads.connection() as conn:
                return await threads.conversation_of(conn, user_id, thread_id, within)

        found = [each for each in (await self.stores.everywhere(conversation_of)).values if each is not None]
        if not found:
            raise NotFoundError
        async with self.stores.reading(found[0]) as conn:
            await require_root(conn, found[0], thread_id)
        return found[0]

    async def _with_all(self, user_id: str) -> list[str]:
        async def with_all(store: Store) -> list[str]:
            async with store.reads.connection() as conn:
                return await threads.with_all(conn, user_id, THREADS_WITH_ALL_MAX)

        found = await self.stores.everywhere(with_all)
        return sorted({each for some in found.values for each in some}, reverse=True)[:THREADS_WITH_ALL_MAX]

    async def _places(self, user_id: str, conversation_id: str | None) -> dict[Searched, Store]:
        """Return what to search in and where it lies, the most recently active first."""
        if conversation_id is not None:
            store = self.stores.of(conversation_id)
            async with self.stores.reading(conversation_id) as conn:
                here = await search.conversation(conn, user_id, conversation_id)
                if not here:
                    raise NotFoundError
                return dict.fromkeys(here, store)

        async def places(store: Store) -> list[Searched]:
            async with store.reads.connection() as conn:
                return await search.conversations(conn, user_id, self.conversations_max)

        answers = await self.stores.everywhere(places)
        found = {place: store for store, some in answers.by_store.items() for place in some}
        newest = sorted(found, key=lambda place: place.active_at, reverse=True)[: self.conversations_max]
        return {place: found[place] for place in newest}

    async def _newest(
        self, places: dict[Searched, Store], wanted: Wanted, position: Position | None, limit: int
    ) -> list[MessageRow]:
        hits: dict[Hit, Store] = {}
        for some, rest in _rounds(list(places)):
            hits |= await self._hits({place: places[place] for place in some}, wanted, position, limit)
            newest = sorted(hits, key=lambda hit: (hit.created_at, hit.id), reverse=True)[:limit]
            hits = {hit: hits[hit] for hit in newest}
            if len(hits) == limit and rest and newest[-1].created_at > rest[0].active_at:
                break
        rows = await self._rows(hits)
        sequence = [(hit.conversation_id, hit.seq) for hit in hits]
        return [rows[place] for place in sequence if place in rows and rows[place].deleted_at is None]

    async def _hits(
        self, places: dict[Searched, Store], wanted: Wanted, position: Position | None, limit: int
    ) -> dict[Hit, Store]:
        async def found(store: Store) -> list[Hit]:
            here = [place for place, of in places.items() if of is store]
            async with store.reading_at({place.conversation_id: place.change_seq for place in here}) as conn:
                return await search.found(conn, here, wanted, position, limit)

        answers = await self.stores.each(dict.fromkeys(places.values()), found)
        return {hit: store for store, some in answers.by_store.items() for hit in some}

    async def _rows(self, hits: dict[Hit, Store]) -> dict[tuple[str, int], MessageRow]:
        async def rows(store: Store) -> dict[tuple[str, int], MessageRow]:
            sought = [(hit.conversation_id, hit.seq) for hit, of in hits.items() if of is store]
            async with store.reads.connection() as conn:
                return await messages.by_seqs(conn, sought)

        answers = await self.stores.each(dict.fromkeys(hits.values()), rows)
        return {place: row for some in answers.values for place, row in some.items()}


def _rounds(places: Sequence[Searched]) -> Iterator[tuple[Sequence[Searched], Sequence[Searched]]]:
    """Yield the places of each round, and those that are left after it."""
    at = 0
    for size in (*ROUNDS, len(places)):
        if places[at:]:
            yield places[at : at + size], places[at + size :]
            at += size


def _wanted(question: Question, words: terms.Query | None) -> Wanted:
    tagged = question.tags
    parts = [*([words.tsquery] if words else []), *tagged]
    by_terms = bool(tagged) or (words is not None and not words.excludes_only)
    return Wanted(" & ".join(parts), by_terms, question.after, question.before)


async def _hit(row: MessageRow, words: terms.Query | None) -> SearchHit:
    await asyncio.sleep(0)  # a long body takes milliseconds: others have their turn between two
    ranges = [] if words is None else terms.ranges(row.body, words)
    return SearchHit(message=row.to_model(), highlight=terms.highlighted(row.body, words), ranges=ranges)
