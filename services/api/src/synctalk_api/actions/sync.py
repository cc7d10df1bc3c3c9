"""Catching up: what changed in conversations after a client's cursors, from one consistent snapshot.

An answer is bounded three ways: 100 messages and 100 members of a conversation, a number of changes in all, and its
size. `more` says that something was cut off, and `change_seq` how far the answer reaches.
"""

from dataclasses import dataclass

from synctalk_contracts.models import Conversation, Message, SyncAnswer, SyncState
from synctalk_runtime.postgres import Postgres

from synctalk_api import rules
from synctalk_api.actions import sizes
from synctalk_api.store import conversations, members, messages
from synctalk_api.store.members import MemberRow
from synctalk_api.store.messages import MessageRow

MAX_OF_EACH = 100

REMOVED = SyncState(removed=True)


@dataclass(frozen=True, slots=True)
class Sync:
    postgres: Postgres
    reset_after: int
    changes_max: int
    bytes_max: int

    async def changes(self, user_id: str, cursors: dict[str, int]) -> SyncAnswer:
        """Return what changed after each conversation's cursor."""
        async with self.postgres.snapshot() as conn:
            reached = await conversations.change_seqs(conn, user_id, list(cursors))
            behind = {c: cursors[c] for c in cursors if c in reached and not self._must_reset(cursors[c], reached[c])}
            most = _shares(behind, reached, self.changes_max)
            changed = await messages.changed_since(conn, behind, most)
            moved = await members.changed_since(conn, behind, most)
            views = await conversations.views(conn, [(conversation_id, user_id) for conversation_id in behind])
        budget = _Budget(self.bytes_max)
        seen = {view.id: view for view in views}
        states = {}
        for conversation_id, cursor in cursors.items():
            if conversation_id not in reached:
                states[conversation_id] = REMOVED
            elif conversation_id not in behind:
                states[conversation_id] = SyncState(reset=True, change_seq=reached[conversation_id])
            else:
                step = _Step(cursor, changed[conversation_id], moved[conversation_id], most[conversation_id] - 1)
                states[conversation_id] = _state(step, seen[conversation_id], budget)
        return SyncAnswer(conversations=states)

    def _must_reset(self, cursor: int, change_seq: int) -> bool:
        return rules.must_reset(cursor, change_seq, self.reset_after)


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
        """Return how many of these fit, from the first on, and take their bytes."""
        for n, row in enumerate(rows):
            size = sizes.size(row)
            if size > self._left and self._messages:
                return n
            self._left -= size
            self._messages += 1
        return len(rows)


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
