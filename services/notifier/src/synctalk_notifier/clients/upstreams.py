"""Calls of other services: presence, who is active; api, what was read, and the previews that it is to show."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from pydantic import ValidationError
from synctalk_contracts.internal import (
    ActiveUsers,
    Ids,
    MembershipPage,
    NamedConversation,
    NameQuestion,
    PreviewsMade,
    PushAnswer,
    PushAnswers,
    PushQuestion,
    PushQuestions,
    ThreadFollowers,
    ThreadPlace,
    ThreadsQuestion,
)
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.internal import InternalClient

from synctalk_notifier.rules import Decision

MAX_ACTIVE = 1_000
"""Users in one question to presence."""
MAX_NAMED = 3_000
"""Conversations named in one call for the badges: an id takes 39 bytes, and api takes bodies of 256 KiB."""

ACTIVE = "/internal/presence/active"
PUSHES = "/internal/pushes"
FOLLOWERS = "/internal/threads/followers"
MAX_THREADS = 1_000
MEMBERSHIPS = "/internal/memberships"
PREVIEWS = "/internal/previews"
NAMED = "/internal/conversations/named"


class Upstreams:
    def __init__(self, api: InternalClient, presence: InternalClient) -> None:
        self._api = api
        self._presence = presence

    async def unwanted(self, user_ids: Sequence[str]) -> dict[str, Decision]:
        """Return those who get no push now, with the reason: at `dnd`, or active. Raises UnavailableError."""
        unwanted: dict[str, Decision] = {}
        for start in range(0, len(user_ids), MAX_ACTIVE):
            answer = await self._ask_active(user_ids[start : start + MAX_ACTIVE])
            unwanted |= dict.fromkeys(answer.ids, Decision.ACTIVE) | dict.fromkeys(answer.dnd, Decision.DND)
        return unwanted

    async def _ask_active(self, user_ids: Sequence[str]) -> ActiveUsers:
        question = Ids(ids=list(user_ids))
        try:
            answer = await self._presence.post(ACTIVE, question.model_dump())
            return ActiveUsers.model_validate(answer, extra="ignore")
        except (NotFoundError, ValidationError) as error:
            raise UnavailableError from error

    async def push_answers(self, questions: Sequence[PushQuestion]) -> list[PushAnswer | None]:
        """Return one for each question, in order; those of a user must stand together.

        None: where the conversation lies does not answer now. Raises UnavailableError.
        """
        answers: list[PushAnswer | None] = []
        for chunk in _chunks(questions):
            answers += await self._ask_pushes(chunk)
        return answers

    async def _ask_pushes(self, questions: Sequence[PushQuestion]) -> list[PushAnswer | None]:
        body = PushQuestions(items=list(questions), partial=True).model_dump(exclude_defaults=True)
        try:
            answers = PushAnswers.model_validate(await self._api.post(PUSHES, body), extra="ignore")
        except (NotFoundError, ValidationError) as error:
            raise UnavailableError from error
        if len(answers.items) != len(questions):
            raise UnavailableError
        away = set(answers.away)
        return [None if n in away else item for n, item in enumerate(answers.items)]

    async def followers(self, threads: Sequence[tuple[str, str]]) -> list[frozenset[str] | None]:
        """Return who follows each of these (conversation, thread).

        None: where the conversation lies does not answer now. Raises UnavailableError.
        """
        found: list[frozenset[str] | None] = []
        for start in range(0, len(threads), MAX_THREADS):
            asked = threads[start : start + MAX_THREADS]
            places = [
                ThreadPlace(conversation_id=conversation_id, thread_id=thread) for conversation_id, thread in asked
            ]
            try:
                answer = await self._api.post(FOLLOWERS, ThreadsQuestion(items=places, partial=True).model_dump())
                answers = ThreadFollowers.model_validate(answer, extra="ignore")
            except (NotFoundError, ValidationError) as error:
                raise UnavailableError from error
            if len(answers.items) != len(asked):
                raise UnavailableError
            away = set(answers.away)
            found += [None if n in away else frozenset(users) for n, users in enumerate(answers.items)]
        return found

    async def memberships(self, after: str | None) -> MembershipPage:
        """Return a page of all memberships, as api has them now. Raises UnavailableError."""
        params = {} if after is None else {"after": after}
        try:
            return MembershipPage.model_validate(await self._api.get(MEMBERSHIPS, **params), extra="ignore")
        except (NotFoundError, ValidationError) as error:
            raise UnavailableError from error

    async def show_previews(self, made: PreviewsMade) -> None:
        """Let api show them. Raises NotFoundError, UnavailableError."""
        await self._api.post(PREVIEWS, made.model_dump())

    async def is_member(self, conversation_id: str, user_id: str) -> bool:
        """Return whether the user is a member now, according to api. Raises UnavailableError."""
        question = PushQuestion(user_id=user_id, conversation_id=conversation_id, seq=0)
        (answer,) = await self.push_answers([question])
        if answer is None:
            raise UnavailableError
        return answer.member

    async def named(self, external_id: str) -> str:
        """Return the conversation that the host app calls so. Raises NotFoundError, UnavailableError."""
        answer = await self._api.post(NAMED, NameQuestion(external_id=external_id).model_dump())
        try:
            return NamedConversation.model_validate(answer, extra="ignore").id
        except ValidationError as error:
            raise UnavailableError from error

    async def close(self) -> None:
        await self._api.close()
        await self._presence.close()


def _chunks(questions: Sequence[PushQuestion]) -> Iterator[list[PushQuestion]]:
    """Split between users where a call would name too many conversations."""
    chunk: list[PushQuestion] = []
    named = 0
    for _, group in groupby(questions, attrgetter("user_id")):
        theirs = list(group)
        more = sum(len(q.quiet_conversation_ids) + len(q.loud_conversation_ids or ()) for q in theirs)
        if chunk and named + more > MAX_NAMED:
            yield chunk
            chunk, named = [], 0
        chunk += theirs
        named += more
    if chunk:
        yield chunk
