"""Questions to other services just before a push: presence, who is active; api, what was read."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter

from pydantic import ValidationError
from synctalk_contracts.internal import Ids, MembershipPage, PushAnswer, PushAnswers, PushQuestion, PushQuestions
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.internal import InternalClient

MAX_QUIET = 3_000
"""Quiet conversations named in one call: an id takes 39 bytes, and api takes bodies of 256 KiB."""

ACTIVE = "/internal/presence/active"
PUSHES = "/internal/pushes"
MEMBERSHIPS = "/internal/memberships"


class Upstreams:
    def __init__(self, api: InternalClient, presence: InternalClient) -> None:
        self._api = api
        self._presence = presence

    async def active(self, user_ids: Sequence[str]) -> set[str]:
        """Return those who are connected and active. Raises UnavailableError."""
        question = Ids(ids=list(user_ids))
        try:
            answer = Ids.model_validate(await self._presence.post(ACTIVE, question.model_dump()), extra="ignore")
        except (NotFoundError, ValidationError) as error:
            raise UnavailableError from error
        return set(answer.ids)

    async def push_answers(self, questions: Sequence[PushQuestion]) -> list[PushAnswer]:
        """Return one for each question, in order; those of a user must stand together. Raises UnavailableError."""
        answers: list[PushAnswer] = []
        for chunk in _chunks(questions):
            answers += await self._ask_pushes(chunk)
        return answers

    async def _ask_pushes(self, questions: Sequence[PushQuestion]) -> list[PushAnswer]:
        body = PushQuestions(items=list(questions)).model_dump()
        try:
            answers = PushAnswers.model_validate(await self._api.post(PUSHES, body), extra="ignore").items
        except (NotFoundError, ValidationError) as error:
            raise UnavailableError from error
        if len(answers) != len(questions):
            raise UnavailableError
        return answers

    async def memberships(self, after: str | None) -> MembershipPage:
        """Return a page of all memberships, as api has them now. Raises UnavailableError."""
        params = {} if after is None else {"after": after}
        try:
            return MembershipPage.model_validate(await self._api.get(MEMBERSHIPS, **params), extra="ignore")
        except (NotFoundError, ValidationError) as error:
            raise UnavailableError from error

    async def is_member(self, conversation_id: str, user_id: str) -> bool:
        """Return whether the user is a member now, according to api. Raises UnavailableError."""
        question = PushQuestion(user_id=user_id, conversation_id=conversation_id, seq=0)
        return (await self.push_answers([question]))[0].member

    async def close(self) -> None:
        await self._api.close()
        await self._presence.close()


def _chunks(questions: Sequence[PushQuestion]) -> Iterator[list[PushQuestion]]:
    """Split between users where a call would name too many conversations."""
    chunk: list[PushQuestion] = []
    named = 0
    for _, group in groupby(questions, attrgetter("user_id")):
        theirs = list(group)
        more = sum(len(question.quiet_conversation_ids) for question in theirs)
        if chunk and named + more > MAX_QUIET:
            yield chunk
            chunk, named = [], 0
        chunk += theirs
        named += more
    if chunk:
        yield chunk
