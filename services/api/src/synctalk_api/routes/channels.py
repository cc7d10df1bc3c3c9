"""Public groups: list and join."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id, Timestamp
from synctalk_contracts.models import Conversation
from synctalk_contracts.text import Text
from synctalk_runtime import cursors
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.dependencies import NO_GUEST, READING, WRITING, ServicesDep
from synctalk_api.routes.named import ConversationId
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, time_of
from synctalk_api.store.channels import Place

router = APIRouter(prefix="/v1", tags=["channels"])

_LIST = "channels"
_Search = Annotated[Text, Field(min_length=1, max_length=128)]
_Rank = Annotated[int, Field(ge=-(2**31), lt=2**31)]
_CURSOR = TypeAdapter(tuple[str, tuple[_Search | None], tuple[Millis, _Rank, Id]])


class Channel(Contract):
    """A public group, as everybody sees it."""

    id: Id
    title: str
    description: str
    avatar_url: str | None
    members_count: int
    created_at: Timestamp
    joined: bool
    """The caller is a member."""


@router.get("/channels", dependencies=[READING, NO_GUEST], responses=refusals(400, 403))
async def list_channels(
    principal: CurrentPrincipal,
    services: ServicesDep,
    search: Annotated[Text | None, Query(min_length=1, max_length=128)] = None,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Channel]:
    """List public groups, those with the most members first; with `search` those whose title has these words."""
    place = None
    if cursor is not None:
        asked, (started_at, rank, conversation_id) = cursors.decode(cursor, _LIST, (search,), _CURSOR)
        (search,) = asked
        place = Place(time_of(started_at), rank, conversation_id)
    found, rest = await services.channels.page(principal.user_id, search, place, limit)
    items = [Channel(**{name: row[name] for name in Channel.model_fields}) for row in found]
    if rest is None:
        return Page(items=items, next_cursor=None)
    position = [millis(rest.started_at), rest.rank, rest.conversation_id]
    return Page(items=items, next_cursor=cursors.encode(_LIST, (search,), position))


@router.post(
    "/conversations/{conversation_id}/join", dependencies=[WRITING, NO_GUEST], responses=refusals(403, 404, 409)
)
async def join_channel(
    conversation_id: ConversationId, principal: CurrentPrincipal, services: ServicesDep
) -> Conversation:
    """Become a member of a public group."""
    return await services.channels.join(principal.user_id, conversation_id)
