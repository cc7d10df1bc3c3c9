"""Threads as their users see them: the list of those that one follows, following, reading."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from synctalk_contracts.commands import MarkThreadRead
from synctalk_contracts.internal import ThreadFollowers, ThreadPlace
from synctalk_contracts.models import Thread
from synctalk_runtime.errors import InvalidError, NotFoundError, UnavailableError
from synctalk_runtime.ids import utc_now
from synctalk_runtime.postgres import Connection, Postgres

from synctalk_api.actions import sizes
from synctalk_api.actions.access import lock_as_member, require_reader
from synctalk_api.actions.commands import BatchResult, Command, CommandResult, Outcome
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.actions.replies import publish_states
from synctalk_api.clients.fanout import Broadcast, Fanout
from synctalk_api.store import messages, threads
from synctalk_api.store.conversation_lists import ListPosition
from synctalk_api.store.stores import Store, Stores
from synctalk_api.store.threads import Listed, Root


def no_root() -> InvalidError:
    return InvalidError.of("thread_id", "must be the id of a message that is in no thread")


async def require_root(conn: Connection, conversation_id: str, message_id: str, begins_after: int = 0) -> Root:
    """Return the root of a thread, above that `seq`.

    Raises NotFoundError, and InvalidError for a message that can have no thread.
    """
    root = (await threads.roots(conn, [(conversation_id, message_id)])).get((conversation_id, message_id))
    if root is None or root.seq <= begins_after:
        raise NotFoundError
    if root.is_reply or root.is_system:
        raise no_root()
    return root


@dataclass(frozen=True, slots=True)
class Threads:
    stores: Stores
    fanout: Fanout
    live: LiveTexts
    page_bytes_max: int

    async def page(
        self, user_id: str, position: ListPosition | None, limit: int, *, unread: bool
    ) -> tuple[list[Thread], ListPosition | None]:
        """Return a page of the threads that the user follows, last reply first, and where the next one begins.

        None: there is none. A page of large messages is shorter than `limit`.
        """
        return await self.stores.again(partial(self._page, user_id, position, limit, unread))

    async def _page(
        self, user_id: str, position: ListPosition | None, limit: int, unread: bool
    ) -> tuple[list[Thread], ListPosition | None]:
        started_at = utc_now()

        async def page(store: Store) -> list[Listed]:
            async with store.reads.connection() as conn:
                return await threads.page(conn, user_id, position, limit + 1, unread=unread)

        found = await self.stores.everywhere(page)
        store_of = {listed: store for store, some in found.by_store.items() for listed in some}
        places = sorted(store_of, key=lambda each: (each.at, each.thread_id), reverse=True)
        items = await self._threads(user_id, {listed: store_of[listed] for listed in places[:limit]})
        walked = [(listed.thread_id, listed.at) for listed in places[:limit]]
        shown = sizes.fitting((item.root for item in items), self.page_bytes_max)
        if shown < len(items):
            walked = walked[: [thread_id for thread_id, _ in walked].index(items[shown].root.id)]
        rest = ListPosition.after(walked, position, started_at) if len(places) > len(walked) else None
        return items[:shown], rest

    async def _threads(self, user_id: str, store_of: Mapping[Listed, Store]) -> list[Thread]:
        async def read(store: Store) -> dict[str, Thread]:
            wanted = [listed for listed, of in store_of.items() if of is store]
            async with store.reads.connection() as conn:
                roots = await messages.by_ids(conn, [(each.conversation_id, each.thread_id) for each in wanted])
                states = await threads.states(
                    conn, [(each.conversation_id, each.thread_id, user_id) for each in wanted]
                )
            if len(states) < len(wanted):
                await self.stores.require_here(store, [each.conversation_id for each in wanted])
            roots = await self.live.in_rows(roots)
            return {
                row["thread_id"]: Thread(
                    conversation_id=row["conversation_id"],
                    root=roots[row["conversation_id"], row["thread_id"]].to_model(),
                    following=row["following"],
                    read_seq=row["read_seq"],
                    unread_count=row["unread_count"],
                    mention_count=row["mention_count"],
                )
                for row in states
                if (row["conversation_id"], row["thread_id"]) in roots
            }

        found = await self.stores.each(dict.fromkeys(store_of.values()), read)
        by_id = {thread_id: thread for some in found.values for thread_id, thread in some.items()}
        return [by_id[listed.thread_id] for listed in store_of if listed.thread_id in by_id]

    async def follow(self, user_id: str, conversation_id: str, thread_id: str, *, following: bool) -> None:
        """Follow a thread or not; what is so already changes nothing."""
        broadcast = Broadcast()
        async with self.stores.changing(conversation_id) as conn:
            await lock_as_member(conn, conversation_id, user_id)
            begins_after = await require_reader(conn, conversation_id, user_id)
            root = await require_root(conn, conversation_id, thread_id, begins_after)
            place = conversation_id, thread_id
            if await threads.set_following(conn, place, user_id, following=following, read_seq=root.last_seq):
                publish_states(broadcast, await threads.states(conn, [(*place, user_id)]), {})
        await self.fanout.publish_and_wait(broadcast)


async def mark_threads_read(postgres: Postgres, commands: Sequence[Command]) -> BatchResult:
    """Raise the watermarks that rise, in one statement; a command that raises none succeeds alike."""
    marks = [cast(MarkThreadRead, command.payload) for command in commands]
    broadcast = Broadcast()
    async with postgres.transaction() as conn:
        asked = [((mark.conversation_id, mark.thread_id), mark.user_id, mark.seq) for mark in marks]
        rows = await threads.read(conn, asked, utc_now())
        origins: dict[tuple[str, str, str], set[str | None]] = {}
        for n, row in rows.items():
            if row["rose"]:
                user = (marks[n].conversation_id, marks[n].thread_id, marks[n].user_id)
                origins.setdefault(user, set()).add(commands[n].connection_id)
        if origins:
            only = {user: next(iter(some)) for user, some in origins.items() if len(some) == 1}
            publish_states(broadcast, await threads.states(conn, list(origins)), only)
    outcomes: list[Outcome] = []
    for n in range(len(commands)):
        if n not in rows or not rows[n]["found"]:
            outcomes.append(NotFoundError())
        else:
            outcomes.append(no_root() if rows[n]["unfit"] else CommandResult())
    return BatchResult(outcomes, broadcast)


async def followers(stores: Stores, places: Sequence[ThreadPlace], *, partial: bool = False) -> ThreadFollowers:
    """Return who follows each of the threads.

    Raises UnavailableError while the store of one of them is away, or of all if a partial answer will do.
    """
    groups: dict[Store, list[int]] = {}
    for n, place in enumerate(places):
        groups.setdefault(stores.of(place.conversation_id), []).append(n)

    async def of(store: Store) -> list[list[str]]:
        asked = [(places[n].conversation_id, places[n].thread_id) for n in groups[store]]
        async with store.postgres.connection() as conn:
            return await threads.followers(conn, asked)

    answers = (await stores.each(groups, of)).by_store
    found = {n: some for store, lists in answers.items() for n, some in zip(groups[store], lists, strict=True)}
    away = [n for n in range(len(places)) if n not in found]
    if away and not partial:
        raise UnavailableError
    return ThreadFollowers(items=[found.get(n, []) for n in range(len(places))], away=away)
