"""Threads: the list of those that the caller follows, following, reading."""

from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import Field, TypeAdapter
from synctalk_contracts.base import Request
from synctalk_contracts.commands import MarkThreadRead
from synctalk_contracts.ids import Id, Seq
from synctalk_contracts.models import Thread
from synctalk_runtime import cursors
from synctalk_runtime.telemetry import traceparent
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.actions.commands import Command
from synctalk_api.routes.dependencies import READING, WRITING, ServicesDep
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals
from synctalk_api.routes.times import Millis, millis, time_of
from synctalk_api.store.conversation_lists import RECENT_LISTED_MAX, ListPosition

router = APIRouter(prefix="/v1", tags=["threads"])

_LIST = "threads"
_CURSOR = TypeAdapter(
    tuple[
        str,
        tuple[bool | None],
        tuple[Millis, Id, Millis, Annotated[list[Id], Field(max_length=RECENT_LISTED_MAX)]],
    ]
)


class ThreadMark(Request):
    seq: Seq


@router.get("/threads", dependencies=[READING], responses=refusals(400))
async def list_threads(
    principal: CurrentPrincipal,
    services: ServicesDep,
    unread: bool = False,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[Thread]:
    """List the threads that the caller follows, the last reply first; those alone that have unread ones."""
    asked: tuple[bool | None] = (unread or None,)
    position = None
    if cursor is not None:
        asked, (at, thread_id, recent_from, recent) = cursors.decode(cursor, _LIST, asked, _CURSOR)
        position = ListPosition(time_of(at), thread_id, time_of(recent_from), recent)
    items, rest = await services.threads.page(principal.user_id, position, limit, unread=bool(asked[0]))
    if rest is None:
        return Page(items=items, next_cursor=None)
    place = [millis(rest.at), rest.last_id, millis(rest.recent_from), rest.recent]
    return Page(items=items, next_cursor=cursors.encode(_LIST, asked, place))


@router.put(
    "/conversations/{conversation_id}/messages/{root_id}/follow",
    status_code=204,
    dependencies=[WRITING],
    responses=refusals(404),
)
async def follow_thread(
    conversation_id: Id, root_id: Id, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Follow the thread of a message."""
    await services.threads.follow(principal.user_id, conversation_id, root_id, following=True)
    return Response(status_code=204)


@router.delete(
    "/conversations/{conversation_id}/messages/{root_id}/follow",
    status_code=204,
    dependencies=[WRITING],
    responses=refusals(404),
)
async def unfollow_thread(
    conversation_id: Id, root_id: Id, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Follow the thread of a message no longer."""
    await services.threads.follow(principal.user_id, conversation_id, root_id, following=False)
    return Response(status_code=204)


@router.post(
    "/conversations/{conversation_id}/messages/{root_id}/read",
    status_code=204,
    dependencies=[WRITING],
    responses=refusals(400, 404),
)
async def read_thread(
    conversation_id: Id, root_id: Id, mark: ThreadMark, principal: CurrentPrincipal, services: ServicesDep
) -> Response:
    """Mark every reply in the thread of a message up to `seq` as read."""
    payload = MarkThreadRead(
        conversation_id=conversation_id, user_id=principal.user_id, thread_id=root_id, seq=mark.seq
    )
    await services.writers.write(Command(payload, traceparent=traceparent()))
    return Response(status_code=204)
