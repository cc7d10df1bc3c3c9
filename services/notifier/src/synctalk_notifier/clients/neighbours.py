"""What only the neighbours know at the moment of pushing: presence, who is active; api, what was delivered or read."""

from collections.abc import Sequence

from pydantic import ValidationError
from synctalk_contracts.internal import Ids, PushAnswer, PushAnswers, PushQuestion, PushQuestions
from synctalk_runtime.errors import NotFoundError, UnavailableError
from synctalk_runtime.internal import InternalClient

ACTIVE = "/internal/presence/active"
PUSHES = "/internal/pushes"


class Neighbours:
    def __init__(self, api: InternalClient, presence: InternalClient) -> None:
        self._api = api
        self._presence = presence

    async def active(self, user_ids: Sequence[str]) -> set[str]:
        """Those who are connected and active. Raises UnavailableError."""
        question = Ids(ids=list(user_ids))
        try:
            answer = Ids.model_validate(await self._presence.post(ACTIVE, question.model_dump()), extra="ignore")
        except (NotFoundError, ValidationError) as error:
            raise UnavailableError from error
        return set(answer.ids)

    async def push_answers(self, questions: Sequence[PushQuestion]) -> list[PushAnswer]:
        """One for each question, in order. Raises UnavailableError."""
        body = PushQuestions(items=list(questions)).model_dump()
        try:
            answers = PushAnswers.model_validate(await self._api.post(PUSHES, body), extra="ignore").items
        except (NotFoundError, ValidationError) as error:
            raise UnavailableError from error
        if len(answers) != len(questions):
            raise UnavailableError
        return answers

    async def is_member(self, conversation_id: str, user_id: str) -> bool:
        """True now, not as the projection heard it. Raises UnavailableError."""
        question = PushQuestion(user_id=user_id, conversation_id=conversation_id, seq=0)
        return (await self.push_answers([question]))[0].member

    async def close(self) -> None:
        await self._api.close()
        await self._presence.close()
