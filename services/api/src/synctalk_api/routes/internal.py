"""Endpoints for the other services, each for the callers that the contract names, and never routed by the edge."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from synctalk_contracts.events.users import ProfileProvided
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import (
    ROOM_USERS_MAX,
    ContactsQuestion,
    ConversationStates,
    ConversationViews,
    Heads,
    Ids,
    InviteUse,
    MembershipPage,
    NamedConversation,
    NameQuestion,
    PartitionMap,
    PreviewsMade,
    PushAnswers,
    PushQuestions,
    RoomQuestion,
    RoomState,
    SharedWith,
    StatesQuestion,
    SyncQuestion,
    ThreadFollowers,
    ThreadsQuestion,
    TypingQuestion,
    TypingState,
    ViewsQuestion,
)
from synctalk_contracts.models import SyncAnswer, User
from synctalk_runtime.errors import InvalidError, NotFoundError
from synctalk_runtime.internal import require_internal

from synctalk_api.actions import lookups, threads
from synctalk_api.routes.dependencies import ServicesDep
from synctalk_api.routes.sync import encoded

router = APIRouter(prefix="/internal", tags=["internal"], dependencies=[Depends(require_internal)])

MAX_CONVERSATIONS = 1_000
MAX_MEMBERSHIPS = 2_000


@router.post("/conversations/named")
async def find_named_conversation(question: NameQuestion, services: ServicesDep) -> NamedConversation:
    """Return the conversation that a host app calls so."""
    return NamedConversation(id=await services.names.get(question.external_id))


@router.put("/users/{user_id}", status_code=204)
async def learn_user(user_id: Id, user: User, services: ServicesDep) -> Response:
    """Store a newly registered user."""
    if user.id != user_id:
        raise InvalidError.of("id", "must be the id in the path")
    await services.users.learn([user])
    return Response(status_code=204)


@router.post("/users/profile", status_code=204)
async def give_profile(given: ProfileProvided, services: ServicesDep) -> Response:
    """Take over the name or picture that a host app gave a user."""
    await services.users.give_profile(given)
    return Response(status_code=204)


@router.get("/users/{user_id}")
async def get_user(user_id: Id, services: ServicesDep) -> User:
    """Return a user's current profile."""
    found = await services.users.known([user_id])
    if user_id not in found:
        raise NotFoundError
    return found[user_id]


@router.post("/guests/forget")
async def forget_guests(asked: Ids, services: ServicesDep) -> Ids:
    """Delete those of these guests who are and were in no conversation; return them with the unknown ones."""
    if len(asked.ids) > MAX_CONVERSATIONS:
        raise InvalidError.of("ids", f"must have at most {MAX_CONVERSATIONS} items")
    return Ids(ids=await services.users.forget_guests(asked.ids))


@router.get("/users/{user_id}/conversations")
async def get_conversations(
    user_id: Id, services: ServicesDep, limit: Annotated[int, Query(ge=1, le=MAX_CONVERSATIONS)] = MAX_CONVERSATIONS
) -> ConversationStates:
    """Return a user's conversations with the newest activity."""
    return await lookups.conversation_states(services.stores, user_id, limit)


@router.get("/users/{user_id}/conversation-ids")
async def get_conversation_ids(
    user_id: Id,
    services: ServicesDep,
    before: Id | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_CONVERSATIONS)] = MAX_CONVERSATIONS,
) -> Ids:
    """Return the ids of a user's conversations below one of them, the highest first."""
    return Ids(ids=await lookups.conversation_ids(services.stores, user_id, before, limit))


@router.post("/states")
async def get_states(question: StatesQuestion, services: ServicesDep) -> ConversationStates:
    """Return those of these conversations that the user is in, as they stand now."""
    if len(question.ids) > MAX_CONVERSATIONS:
        raise InvalidError.of("ids", f"must have at most {MAX_CONVERSATIONS} items")
    return await lookups.states(services.stores, question)


@router.post("/heads")
async def get_heads(asked: Ids, services: ServicesDep) -> Heads:
    """Return the latest `change_seq` of these conversations."""
    if len(asked.ids) > MAX_CONVERSATIONS:
        raise InvalidError.of("ids", f"must have at most {MAX_CONVERSATIONS} items")
    return await lookups.heads(services.stores, asked.ids)


@router.get("/partitions")
async def get_partitions(services: ServicesDep) -> PartitionMap:
    """Return which api process takes the commands of which conversations."""
    return services.partitions.map


@router.post("/room")
async def get_room(question: RoomQuestion, services: ServicesDep) -> RoomState:
    """Return which of these users are members, as of one `change_seq`."""
    if len(question.user_ids) > ROOM_USERS_MAX:
        raise InvalidError.of("user_ids", f"must have at most {ROOM_USERS_MAX} items")
    return await lookups.room(services.stores, question)


@router.post("/views", response_model_exclude_unset=True)
async def get_views(question: ViewsQuestion, services: ServicesDep) -> ConversationViews:
    """Return a conversation as those of these users see it who are members."""
    return await lookups.views(services.stores, question)


@router.post("/sync", response_model=SyncAnswer)
async def catch_up(question: SyncQuestion, services: ServicesDep) -> Response:
    """Return changes as `POST /v1/sync`, for a user whom the gateway has authenticated."""
    return encoded(await services.gateway_sync.changes(question.user_id, question.cursors))


@router.post("/invites/use", status_code=204)
async def use_invite(use: InviteUse, services: ServicesDep) -> Response:
    """Take a use of an invite for a user who is about to register."""
    await services.invites.use(use.user_id, use.code)
    return Response(status_code=204)


@router.post("/typing")
async def get_typing(question: TypingQuestion, services: ServicesDep) -> TypingState:
    """Return whether a member may type in a conversation now, and how many members it has."""
    return await lookups.typing(services.stores, question.user_id, question.conversation_id)


@router.post("/contacts")
async def get_contacts(question: ContactsQuestion, services: ServicesDep) -> SharedWith:
    """Return those of the others who share a conversation with the user."""
    return await lookups.contacts(services.stores, question.user_id, question.others)


@router.post("/pushes")
async def get_pushes(questions: PushQuestions, services: ServicesDep) -> PushAnswers:
    """Return what decides whether each of these pushes is still due."""
    return await lookups.pushes(services.stores, questions.items, partial=questions.partial)


@router.post("/threads/followers")
async def get_followers(question: ThreadsQuestion, services: ServicesDep) -> ThreadFollowers:
    """Return who follows these threads."""
    return await threads.followers(services.stores, question.items, partial=question.partial)


@router.post("/previews", status_code=204)
async def show_previews(made: PreviewsMade, services: ServicesDep) -> Response:
    """Show previews of a message's links, if it still has these links."""
    await services.previews.show(made)
    return Response(status_code=204)


@router.get("/memberships")
async def get_memberships(
    services: ServicesDep, after: str | None = None, limit: Annotated[int, Query(ge=1, le=MAX_MEMBERSHIPS)] = 1_000
) -> MembershipPage:
    """Return a page of all memberships, past ones too, by conversation and user."""
    return await lookups.memberships(services.stores, after, limit)
