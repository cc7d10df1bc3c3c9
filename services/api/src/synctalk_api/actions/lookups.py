"""Look-ups for the other services: a user's conversations, contacts, members, whether a push is still due."""

from collections.abc import Sequence

from pydantic import TypeAdapter
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import (
    ConversationState,
    ConversationStates,
    Heads,
    Membership,
    MembershipPage,
    PushAnswer,
    PushQuestion,
    RoomQuestion,
    RoomState,
)
from synctalk_runtime import cursors
from synctalk_runtime.postgres import Postgres

from synctalk_api.store import conversations, members

NIL_ID = "00000000-0000-0000-0000-000000000000"

_MEMBERSHIPS = "memberships"
_MEMBERSHIPS_CURSOR = TypeAdapter(tuple[str, tuple[()], tuple[Id, Id]])


async def conversation_states(postgres: Postgres, user_id: str, limit: int) -> ConversationStates:
    """Return the user's conversations with the newest activity, and whether there are more."""
    async with postgres.connection() as conn:
        rows = await conversations.states(conn, user_id, limit + 1)
    items = [
        ConversationState(id=row["id"], last_seq=row["last_seq"], change_seq=row["change_seq"]) for row in rows[:limit]
    ]
    return ConversationStates(items=items, more=len(rows) > limit)


async def heads(postgres: Postgres, conversation_ids: Sequence[str]) -> Heads:
    """Return the latest `change_seq` of these conversations; unknown ones are left out."""
    async with postgres.connection() as conn:
        return Heads(items=await conversations.heads(conn, conversation_ids))


async def room(postgres: Postgres, question: RoomQuestion) -> RoomState:
    """Return who of `user_ids` is a member as of `change_seq`; an unknown conversation has no members and is at 0."""
    async with postgres.connection() as conn:
        change_seq, member_ids = await conversations.room(conn, question.conversation_id, question.user_ids)
    return RoomState(change_seq=change_seq, member_ids=member_ids)


async def contacts(postgres: Postgres, user_id: str, others: Sequence[str]) -> list[str]:
    """Return those of the others who share a conversation with the user."""
    async with postgres.connection() as conn:
        return await members.contacts(conn, user_id, others)


async def pushes(postgres: Postgres, questions: Sequence[PushQuestion]) -> list[PushAnswer]:
    """Answer the questions, in their sequence.

    A conversation that one question of a user calls quiet is left out of all the badges of that user.
    """
    async with postgres.snapshot() as conn:
        rows = await members.pushes(
            conn,
            [question.user_id for question in questions],
            [question.conversation_id for question in questions],
            [question.seq for question in questions],
        )
        quiet = {(question.user_id, each) for question in questions for each in question.quiet_conversation_ids}
        badges = await members.badges(conn, sorted({question.user_id for question in questions}), sorted(quiet))
    return [
        PushAnswer(
            member=row["member"],
            delivered=False,
            read=row["read"],
            deleted=row["deleted"],
            badge=badges.get(question.user_id, 0),
        )
        for question, row in zip(questions, rows, strict=True)
    ]


async def memberships(postgres: Postgres, after: str | None, limit: int) -> MembershipPage:
    """Return a page of all memberships. Raises BadCursorError."""
    start = NIL_ID, NIL_ID
    if after is not None:
        _, start = cursors.decode(after, _MEMBERSHIPS, (), _MEMBERSHIPS_CURSOR)
    async with postgres.connection() as conn:
        rows = await members.page_of_all(conn, *start, limit + 1)
    items = [Membership(**row) for row in rows[:limit]]
    if len(rows) <= limit:
        return MembershipPage(items=items, next=None)
    last = items[-1]
    return MembershipPage(items=items, next=cursors.encode(_MEMBERSHIPS, (), [last.conversation_id, last.user_id]))
