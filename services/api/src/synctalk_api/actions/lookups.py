"""What the neighbours ask: a person's conversations, who knows whom, whether a push is still due."""

from collections.abc import Sequence

from synctalk_contracts.internal import ConversationState, PushAnswer, PushQuestion

from synctalk_api.parts import Parts
from synctalk_api.store import conversations, members


async def conversation_states(parts: Parts, user_id: str) -> list[ConversationState]:
    """All of the person's conversations, newest activity first."""
    async with parts.postgres.connection() as conn:
        rows = await conversations.states(conn, user_id)
    return [ConversationState(id=row["id"], last_seq=row["last_seq"], change_seq=row["change_seq"]) for row in rows]


async def contacts(parts: Parts, user_id: str, others: Sequence[str]) -> list[str]:
    async with parts.postgres.connection() as conn:
        return await members.contacts(conn, user_id, others)


async def pushes(parts: Parts, questions: Sequence[PushQuestion]) -> list[PushAnswer]:
    """In the order asked."""
    async with parts.postgres.snapshot() as conn:
        rows = await members.pushes(
            conn,
            [question.user_id for question in questions],
            [question.conversation_id for question in questions],
            [question.seq for question in questions],
        )
        badges = await members.badges(conn, sorted({question.user_id for question in questions}))
    return [
        PushAnswer(
            member=row["member"],
            delivered=row["delivered"],
            read=row["read"],
            deleted=row["deleted"],
            badge=badges.get(question.user_id, 0),
        )
        for question, row in zip(questions, rows, strict=True)
    ]
