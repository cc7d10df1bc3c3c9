"""Look-ups for the other services: a user's conversations, contacts, members, whether a push is still due."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TypeVar

import asyncpg
from pydantic import TypeAdapter
from synctalk_contracts.fanout import MemberView
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import (
    ConversationState,
    ConversationStates,
    ConversationViews,
    Heads,
    Membership,
    MembershipPage,
    PushAnswer,
    PushAnswers,
    PushQuestion,
    RoomQuestion,
    RoomState,
    SharedWith,
    StatesQuestion,
    TypingState,
    ViewsQuestion,
)
from synctalk_runtime import cursors
from synctalk_runtime.errors import ForbiddenError, NotFoundError, UnavailableError
from synctalk_runtime.ids import utc_now

from synctalk_api.actions.access import blocking, require_open, require_unmuted
from synctalk_api.store import (
    blocks,
    claims,
    conversation_lists,
    conversations,
    members,
    own_views,
    pushing,
    sharing,
)
from synctalk_api.store.stores import Answers, Store, Stores

UNKNOWN = PushAnswer(member=False, delivered=False, read=False, deleted=False, badge=0)
NIL_ID = "00000000-0000-0000-0000-000000000000"

T = TypeVar("T")

_MEMBERSHIPS = "memberships"
_MEMBERSHIPS_CURSOR = TypeAdapter(tuple[str, tuple[()], tuple[Id, Id]])


@dataclass(frozen=True, slots=True)
class LatestStates:
    items: list[asyncpg.Record]
    complete: bool
    """No store was away."""


async def latest_states(stores: Stores, user_id: str, limit: int) -> LatestStates:
    """Return the numbers of the user's conversations with the newest activity."""

    async def states(store: Store) -> list[asyncpg.Record]:
        async with store.postgres.connection() as conn:
            return await conversation_lists.states(conn, user_id, limit)

    answers = await stores.everywhere(states)
    merged = heapq.merge(*answers.values, key=itemgetter("active_at", "id"), reverse=True)
    return LatestStates(list({row["id"]: row for row in merged}.values())[:limit], answers.complete)


async def conversation_states(stores: Stores, user_id: str, limit: int) -> ConversationStates:
    """Return the user's conversations with the newest activity, and whether there are, or may be, more."""
    as_of = utc_now()
    found = await latest_states(stores, user_id, limit + 1)
    items = [
        ConversationState(id=row["id"], last_seq=row["last_seq"], change_seq=row["change_seq"])
        for row in found.items[:limit]
    ]
    return ConversationStates(items=items, more=len(found.items) > limit or not found.complete, as_of=as_of)


async def conversation_ids(stores: Stores, user_id: str, before: str | None, limit: int) -> list[str]:
    """Return the ids of the user's conversations below `before` (None: all of them), the highest first.

    Raises UnavailableError while a store is away: who walks the list would never come back to what it has.
    """

    async def ids(store: Store) -> list[str]:
        async with store.postgres.connection() as conn:
            return await conversation_lists.ids(conn, user_id, before or conversation_lists.AFTER_ALL, limit)

    found = _complete(await stores.everywhere(ids))
    return sorted({each for some in found for each in some}, reverse=True)[:limit]


def _complete(answers: Answers[T]) -> Sequence[T]:
    if not answers.complete:
        raise UnavailableError
    return answers.values


async def states(stores: Stores, question: StatesQuestion) -> ConversationStates:
    """Return the state of those conversations that the user is in, and which may have changed since.

    A change has the time at which it was prepared, and no transaction is open for longer than a minute. Raises
    UnavailableError while the store of one of them is away: who is left out is no member.
    """
    as_of = utc_now()
    since = (question.since or as_of) - timedelta(minutes=1)
    groups = stores.grouped(question.ids)

    async def found_in(store: Store) -> list[asyncpg.Record]:
        return await _states_of(stores, store, question.user_id, groups[store], since)

    answers = _complete(await stores.each(groups, found_in))
    return ConversationStates(items=[ConversationState(**row) for rows in answers for row in rows], as_of=as_of)


async def _states_of(
    stores: Stores, store: Store, user_id: str, wanted: Sequence[str], since: datetime
) -> list[asyncpg.Record]:
    async with store.postgres.connection() as conn:
        rows = await conversation_lists.states_of(conn, user_id, wanted, since)
    if len(rows) < len(wanted):
        await stores.require_here(store, set(wanted) - {row["id"] for row in rows})
    return rows


async def heads(stores: Stores, conversation_ids: Sequence[str]) -> Heads:
    """Return the latest `change_seq` of these conversations; unknown ones, and those of a store away, are left out."""
    groups = stores.grouped(conversation_ids)

    async def of(store: Store) -> dict[str, int]:
        async with store.postgres.connection() as conn:
            return await conversations.heads(conn, groups[store])

    answers = await stores.each(groups, of)
    return Heads(items={each: change_seq for some in answers.values for each, change_seq in some.items()})


async def room(stores: Stores, question: RoomQuestion) -> RoomState:
    """Return who of `user_ids` is a member as of `change_seq`; an unknown conversation has no members and is at 0."""
    store = stores.of(question.conversation_id)
    async with store.postgres.connection() as conn:
        change_seq, member_ids = await conversations.room(conn, question.conversation_id, question.user_ids)
    if not change_seq:
        await stores.require_here(store, [question.conversation_id])
    return RoomState(change_seq=change_seq, member_ids=member_ids)


async def views(stores: Stores, question: ViewsQuestion) -> ConversationViews:
    """Return the conversation as those of these users see it who are members."""
    store, conversation_id = stores.of(question.conversation_id), question.conversation_id
    async with store.postgres.snapshot() as conn:
        found = await own_views.views_of(conn, conversation_id, question.user_ids)
        shared = await conversations.views(conn, [(conversation_id, each) for each in list(found)[:1]])
    if not found:
        await stores.require_here(store, [conversation_id])
        return ConversationViews(conversation=None, views={})
    return ConversationViews(conversation=shared[0], views={each: MemberView(**view) for each, view in found.items()})


async def typing(stores: Stores, user_id: str, conversation_id: str) -> TypingState:
    """Return whether the member may write there now, and how many members it has."""
    store = stores.of(conversation_id)
    async with store.postgres.connection() as conn:
        row = await members.writing(conn, conversation_id, user_id)
    if row is None or row["blocked_by_peer"]:
        await stores.require_here(store, [conversation_id] if row is None else [])
        return TypingState(members_count=0, refusal=NotFoundError().body()["error"])
    try:
        if row["blocks_peer"]:
            raise blocking()
        require_open(row["archived_at"])
        require_unmuted(row["muted_until"], utc_now())
    except ForbiddenError as error:
        return TypingState(
            members_count=row["members_count"],
            refusal=error.body()["error"],
            until=None if row["archived_at"] else row["muted_until"],
        )
    return TypingState(members_count=row["members_count"])


async def contacts(stores: Stores, user_id: str, others: Sequence[str]) -> SharedWith:
    """Return those of the others who share a conversation with the user, and have not blocked them."""

    async def of(store: Store) -> tuple[dict[str, bool], set[str]]:
        async with store.postgres.connection() as conn:
            return await sharing.contacts(conn, user_id, others), await blocks.blockers(conn, user_id, others)

    answers = (await stores.everywhere(of)).by_store
    # The main store's blocks are the latest; while it is away none are made.
    knowing = [answers[stores.main]] if stores.main in answers else list(answers.values())
    blockers = {each for _, some in knowing for each in some}
    found = {each for shared, _ in answers.values() for each in shared} - blockers
    direct = {each for shared, _ in answers.values() for each, is_direct in shared.items() if is_direct}
    return SharedWith(ids=list(found), direct=list(found & direct))


async def direct_between(stores: Stores, user_id: str, peer_id: str) -> str | None:
    """Return the direct conversation of the two, also one that a guest began whom one of them has claimed."""

    async def direct(store: Store) -> str | None:
        async with store.postgres.connection() as conn:
            return await claims.direct(conn, user_id, peer_id)

    found = await stores.everywhere(direct)
    return next((each for each in found.values if each is not None), None)


async def pushes(stores: Stores, questions: Sequence[PushQuestion], *, partial: bool = False) -> PushAnswers:
    """Answer the questions, in their sequence.

    What one question of a user says of the badge holds for all the badges of that user; they count what the stores
    have that answer. Raises UnavailableError while one does not, unless a partial answer will do.
    """
    only_loud = sorted({question.user_id for question in questions if question.loud_conversation_ids is not None})
    named = {
        (question.user_id, each)
        for question in questions
        for each in question.loud_conversation_ids or question.quiet_conversation_ids
    }
    user_ids = sorted({question.user_id for question in questions})
    groups: dict[Store, list[int]] = {}
    for n, question in enumerate(questions):
        groups.setdefault(stores.of(question.conversation_id), []).append(n)

    async def judge(store: Store) -> tuple[list[asyncpg.Record], dict[str, int]]:
        asked = [questions[n] for n in groups.get(store, [])]
        async with store.postgres.snapshot() as conn:
            rows = await pushing.pushes(
                conn,
                [question.user_id for question in asked],
                [question.conversation_id for question in asked],
                [question.seq for question in asked],
            )
            badges = await pushing.badges(conn, user_ids, sorted(named), only_loud)
        absent = [asked[n].conversation_id for n, row in enumerate(rows) if not row["member"]]
        await stores.require_here(store, absent)
        return rows, badges

    answers = (await stores.everywhere(judge)).by_store
    found: dict[int, asyncpg.Record] = {}
    for store, numbers in groups.items():
        if store in answers:
            found |= zip(numbers, answers[store][0], strict=True)

    def answer(question: PushQuestion, row: asyncpg.Record) -> PushAnswer:
        return PushAnswer(
            member=row["member"],
            delivered=False,
            read=row["read"],
            deleted=row["is_gone"],
            badge=sum(badges.get(question.user_id, 0) for _, badges in answers.values()),
            sender_name=row["sender_name"],
            title=row["title"],
        )

    away = [n for n in range(len(questions)) if n not in found]
    if away and not partial:
        raise UnavailableError
    items = [answer(each, found[n]) if n in found else UNKNOWN for n, each in enumerate(questions)]
    return PushAnswers(items=items, away=away)


async def memberships(stores: Stores, after: str | None, limit: int) -> MembershipPage:
    """Return a page of all memberships. Raises BadCursorError, and UnavailableError while a store is away."""
    start = NIL_ID, NIL_ID
    if after is not None:
        _, start = cursors.decode(after, _MEMBERSHIPS, (), _MEMBERSHIPS_CURSOR)

    async def page(store: Store) -> list[asyncpg.Record]:
        async with store.postgres.connection() as conn:
            return await members.page_of_all(conn, *start, limit + 1)

    found = _complete(await stores.everywhere(page))
    by_place = {(row["conversation_id"], row["user_id"]): row for rows in found for row in rows}
    items = [Membership(**by_place[place]) for place in sorted(by_place)]
    if len(items) <= limit:
        return MembershipPage(items=items, next=None)
    last = items[limit - 1]
    rest = cursors.encode(_MEMBERSHIPS, (), [last.conversation_id, last.user_id])
    return MembershipPage(items=items[:limit], next=rest)
