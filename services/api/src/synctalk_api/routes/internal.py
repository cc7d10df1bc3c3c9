"""What the other services ask; guarded by the shared secret, never routed by the edge."""

from fastapi import APIRouter, Depends, Response
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import (
    ContactsQuestion,
    ConversationStates,
    Ids,
    PushAnswers,
    PushQuestions,
    SyncQuestion,
)
from synctalk_contracts.models import SyncAnswer, User
from synctalk_runtime.errors import InvalidError, NotFoundError
from synctalk_runtime.internal import require_internal

from synctalk_api.actions import lookups, sync, users
from synctalk_api.parts import TheParts
from synctalk_api.routes.sync import answered

router = APIRouter(prefix="/internal", tags=["internal"], dependencies=[Depends(require_internal)])


@router.put("/users/{user_id}", status_code=204)
async def learn_user(user_id: Id, user: User, parts: TheParts) -> Response:
    """A person just registered."""
    if user.id != user_id:
        raise InvalidError.of("id", "is not that of the address")
    await users.learn(parts, [user])
    return Response(status_code=204)


@router.get("/users/{user_id}")
async def get_user(user_id: Id, parts: TheParts) -> User:
    """How a person is called now."""
    found = await users.already_known(parts, [user_id])
    if user_id not in found:
        raise NotFoundError
    return found[user_id]


@router.get("/users/{user_id}/conversations")
async def get_conversations(user_id: Id, parts: TheParts) -> ConversationStates:
    """All of a person's conversations, newest activity first."""
    return ConversationStates(items=await lookups.conversation_states(parts, user_id))


@router.post("/sync", response_model=SyncAnswer)
async def catch_up(question: SyncQuestion, parts: TheParts) -> Response:
    """As `POST /v1/sync`, for a person whom the gateway has authenticated."""
    return answered(await sync.sync(parts, question.user_id, question.cursors))


@router.post("/contacts")
async def get_contacts(question: ContactsQuestion, parts: TheParts) -> Ids:
    """Those of the others who share a conversation with the person."""
    return Ids(ids=await lookups.contacts(parts, question.user_id, question.others))


@router.post("/pushes")
async def get_pushes(questions: PushQuestions, parts: TheParts) -> PushAnswers:
    """Is there still something to announce, for each of these."""
    return PushAnswers(items=await lookups.pushes(parts, questions.items))
