"""Catching up: what changed in conversations after a client's cursors, each from one consistent snapshot.

An answer is bounded three ways: 100 messages and 100 members of a conversation, a number of changes in all, and its
size. `more` says that something was cut off, and `change_seq` how far the answer reaches.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import TypeVar

from synctalk_contracts.models import Conversation, Message, SyncAnswer, SyncState
from synctalk_runtime.postgres import Postgres

from synctalk_api import rules
from synctalk_api.actions import sizes
from synctalk_api.actions.live_texts import LiveTexts
from synctalk_api.store import conversation_lists, conversations, members, messages
from synctalk_api.store.members import MemberRow
from synctalk_api.store.messages import MessageRow
from synctalk_api.store.stores import Store, Stores

MAX_OF_EACH = 100

T = TypeVar("T")

REMOVED = SyncState(removed=True)


@dataclass(frozen=True, slots=True)
class Sync:
    stores: Stores
    live: LiveTexts
    pool: Callable[[Store], Postgres]
    """The connections to use."""
    reset_after: int
    changes_max: int
    bytes_max: int

    async def changes(self, user_id: str, cursors: dict[str, int]) -> SyncAnswer:
        """Return what changed after each conversation's cursor; those of a store that is away are left out."""
        groups = self.stores.grouped(cursors)
        reached = await self._reached(user_id, groups)
        behind = {
            store: {each: cursors[each] for each, reach in found.items() if not self._must_reset(cursors[each], *reach)}
            for store, found in reached.items()
        }
        most = _shares(
            _merged(behind), {each: reach for each, (reach, _) in _merged(reached).items()}, self.changes_max
        )
        steps = await self._steps(user_id, {store: some for store, some in behind.items() if some}, most)
        gone = {store: {*groups[store]} - found.keys() for store, found in reached.items()}
        for store, read in steps.items():
            gone[store] |= behind[store].keys() - read.keys()
        budget = _Budget(self.bytes_max)
        states = dict.fromkeys(await self._not_moved(gone), REMOVED)
        for store, found in reached.items():
            for conversation_id, (reach, _) in found.items():
                if conversation_id not in behind[store]:
                    states[conversation_id] = SyncState(reset=True, change_seq=reach)
        for conversation_id, (step, view) in _merged(steps).items():
            states[conversation_id] = _state(step, view, budget)
        return SyncAnswer(conversations={each: states[each] for each in cursors if each in states})

    async def _reached(self, user_id: str, groups: dict[Store, list[str]]) -> dict[Store, dict[str, tuple[int, int]]]:
        """Return the latest `change_seq` of those that the user is in, and the one that demands a reset."""

        async def change_seqs(store: Store) -> dict[str, tuple[int, int]]:
            async with self.pool(store).connection() as conn:
                return await conversation_lists.change_seqs(conn, user_id, groups[store])

        return (await self.stores.each(groups, change_seqs)).by_store

    async def _steps(
        self, user_id: str, behind: dict[Store, dict[str, int]], most: dict[str, int]
    ) -> "dict[Store, dict[str, tuple[_Step, Conversation]]]":
        """Return the next changes of each conversation, and the conversation as it stands then."""

        async def read(store: Store) -> dict[str, tuple[_Step, Conversation]]:
            cursors = behind[store]
            async with self.pool(store).snapshot() as conn:
                changed = await messages.changed_since(conn, user_id, cursors, most)
                moved = await members.changed_since(conn, cursors, most)
                views = await conversations.views(conn, [(conversation_id, user_id) for conversation_id in cursors])
            return {
                view.id: (
                    _Step(
                        cursors[view.id],
                        await self.live.in_list(changed[view.id]),
                        moved[view.id],
                        most[view.id] - 1,
                    ),
                    view,
                )
                for view in await self.live.in_conversations(views)
            }

        return (await self.stores.each(behind, read)).by_store

    async def _not_moved(self, gone: dict[Store, set[str]]) -> set[str]:
        """Return those that are gone for this user, and not only moved to another store."""

        async def not_moved(store: Store) -> set[str]:
            return gone[store] - await self.stores.moved_away(store, gone[store])

        answers = await self.stores.each([store for store, missing in gone.items() if missing], not_moved)
        return {each for some in answers.values for each in some}

    def _must_reset(self, cursor: int, change_seq: int, reset_seq: int) -> bool:
        return cursor < reset_seq or rules.must_reset(cursor, change_seq, self.reset_after)


def _merged(by_store: dict[Store, dict[str, T]]) -> dict[str, T]:
    return {each: value for found in by_store.values() for each, value in found.items()}


def _shares(behind: dict[str, int], reached: dict[str, int], changes_max: int) -> dict[str, int]:
    """Return how many rows of each kind to read of each conversation: one more than goes out, so that a cut shows."""
    shares, left = {}, changes_max
    for conversation_id, cursor in behind.items():
        share = min(MAX_OF_EACH, left)
        shares[conversation_id] = share + 1
        left -= min(share, reached[conversation_id] - cursor)
    return shares


class _Budget:
    """The bytes that an answer may still take; the first view and message always fit, so that it makes progress."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._views = 0
        self._messages = 0

    def fits_view(self, view: Conversation) -> bool:
        size = sizes.size(view.last_message) if view.last_message else sizes.FIXED_BYTES
        if size > self._left and self._views:
            return False
        self._left -= size
        self._views += 1
        return True

    def fitting(self, rows: list[Message]) -> int:
        """Return how many of these fit, from the first on, and take their bytes; those of one change stay together."""
        fitting = 0
        for _, its in groupby(rows, key=attrgetter("change_seq")):
            sizes_of_change = [sizes.size(row) for row in its]
            if sum(sizes_of_change) > self._left and self._messages:
                break
            self._left -= sum(sizes_of_change)
            self._messages += len(sizes_of_change)
            fitting += len(sizes_of_change)
        return fitting


@dataclass(frozen=True, slots=True)
class _Step:
    cursor: int
    messages: list[MessageRow]
    members: list[MemberRow]
    limit: int


def _state(step: _Step, view: Conversation, budget: _Budget) -> SyncState:
    reach = min(
        rules.reach([row.change_seq for row in step.messages], step.limit, view.change_seq),
        rules.reach([row.change_seq for row in step.members], step.limit, view.change_seq),
    )
    stuck = reach == step.cursor < view.change_seq and step.limit == MAX_OF_EACH
    if stuck or not budget.fits_view(view):
        # Stuck: more members came with one change than an answer holds, as when a large group begins.
        return SyncState(reset=True, change_seq=view.change_seq)
    within = [row.to_model() for row in step.messages if row.change_seq <= reach]
    fitting = budget.fitting(within)
    if fitting < len(within):
        reach = within[fitting].change_seq - 1
    return SyncState(
        messages=within[:fitting],
        members=[row.to_change() for row in step.members if row.change_seq <= reach],
        conversation=view,
        change_seq=reach,
        more=reach < view.change_seq,
    )
