"""Endpoints for the other services, guarded by the shared secret and never routed by the edge."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import (
    ContactsQuestion,
    ConversationStates,
    Heads,
    Ids,
    MembershipPage,
    PartitionMap,
    PushAnswers,
    PushQuestions,
    RoomQuestion,
    RoomState,
    SyncQuestion,
)
from synctalk_contracts.models import SyncAnswer, User
from synctalk_runtime.errors import InvalidError, NotFoundError
from synctalk_runtime.internal import require_internal

from synctalk_api.actions import lookups
from synctalk_api.routes.dependencies import ServicesDep
from synctalk_api.routes.sync import encoded

router = APIRouter(prefix="/internal", tags=["internal"], dependencies=[Depends(require_internal)])

MAX_CONVERSATIONS = 1_000
MAX_ROOM_USERS = 5_000
MAX_MEMBERSHIPS = 2_000


@router.put("/users/{user_id}", status_code=204)
async def learn_user(user_id: Id, user: User, services: ServicesDep) -> Response:
    """Store a newly registered user."""
    if user.id != user_id:
        raise InvalidError.of("id", "must be the id in the path")
    await services.users.learn([user])
    return Response(status_code=204)


@router.get("/users/{user_id}")
async def get_user(user_id: Id, services: ServicesDep) -> User:
    """Return a user's current profile."""
    found = await services.users.known([user_id])
    if user_id not in found:
        raise NotFoundError
    return found[user_id]


@router.get("/users/{user_id}/conversations")
async def get_conversations(
    user_id: Id, services: ServicesDep, limit: Annotated[int, Query(ge=1, le=MAX_CONVERSATIONS)] = MAX_CONVERSATIONS
) -> ConversationStates:
    """Return a user's conversations with the newest activity."""
    return await lookups.conversation_states(services.postgres, user_id, limit)


@router.post("/heads")
async def get_heads(asked: Ids, services: ServicesDep) -> Heads:
    """Return the latest `change_seq` of these conversations."""
    if len(asked.ids) > MAX_CONVERSATIONS:
        raise InvalidError.of("ids", f"must have at most {MAX_CONVERSATIONS} items")
    return await lookups.heads(services.postgres, asked.ids)


@router.get("/partitions")
async def get_partitions(services: ServicesDep) -> PartitionMap:
    """Return which api process takes the commands of which conversations."""
    return services.partitions.map


@router.post("/room")
async def get_room(question: RoomQuestion, services: ServicesDep) -> RoomState:
    """Return which of these users are members, as of one `change_seq`."""
    if len(question.user_ids) > MAX_ROOM_USERS:
        raise InvalidError.of("user_ids", f"must have at most {MAX_ROOM_USERS} items")
    return await lookups.room(services.postgres, question)


@router.post("/sync", response_model=SyncAnswer)
async def catch_up(question: SyncQuestion, services: ServicesDep) -> Response:
    """Return changes as `POST /v1/sync`, for a user whom the gateway has authenticated."""
    return encoded(await services.gateway_sync.changes(question.user_id, question.cursors))


@router.post("/contacts")
async def get_contacts(question: ContactsQuestion, services: ServicesDep) -> Ids:
    """Return those of the others who share a conversation with the user."""
    return Ids(ids=await lookups.contacts(services.postgres, question.user_id, question.others))


@router.post("/pushes")
async def get_pushes(questions: PushQuestions, services: ServicesDep) -> PushAnswers:
    """Return what decides whether each of these pushes is still due."""
    return PushAnswers(items=await lookups.pushes(services.postgres, questions.items))


@router.get("/memberships")
async def get_memberships(
    services: ServicesDep, after: str | None = None, limit: Annotated[int, Query(ge=1, le=MAX_MEMBERSHIPS)] = 1_000
) -> MembershipPage:
    """Return a page of all memberships, past ones too, by conversation and user."""
    return await lookups.memberships(services.postgres, after, limit)
