"""`/v1/events`: the feed of what happened, for the host app's backend."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from synctalk_contracts.base import Contract
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.feed import FeedEvent, FeedType
from synctalk_contracts.models import Scope
from synctalk_runtime import cursors
from synctalk_runtime.credentials import ServerKey
from synctalk_runtime.openapi import refusals
from synctalk_runtime.tokens import requires

from synctalk_notifier.routes.dependencies import ALWAYS, CurrentServices
from synctalk_notifier.routes.types import TypesQuery, types_of

router = APIRouter(prefix="/v1/events", tags=["events"])


class FeedPage(Contract):
    items: list[FeedEvent]
    next: str
    """To be given as `after`; opaque."""


@router.get(
    "",
    response_model=FeedPage,
    summary="Read what happened, in order",
    responses=refusals(*ALWAYS, ErrorCode.BAD_CURSOR, ErrorCode.FORBIDDEN, ErrorCode.GONE),
)
async def get_events(
    key: Annotated[ServerKey, Depends(requires(Scope.EVENTS))],
    services: CurrentServices,
    after: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=cursors.MAX_CHARS,
            description="`next` of the page before, or `0` for the oldest event kept. Left out: from now on.",
        ),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    types: TypesQuery = None,
    wait: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for an event if there is none.")] = 0,
) -> Response:
    """Return events of **all conversations, direct ones included**, with the texts of their messages."""
    await services.limiter.take(services.events_limit, key.id)
    page = await services.feed.read(after, limit, types_of(types, FeedType), wait)
    items = b",".join(event.json for event in page.items)
    return Response(b'{"items":[' + items + b'],"next":"' + page.next.encode() + b'"}', media_type="application/json")
