"""Blocks: whom the caller has blocked."""

from fastapi import APIRouter, Response
from pydantic import TypeAdapter
from synctalk_contracts.ids import Id
from synctalk_contracts.models import User
from synctalk_runtime import cursors
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.dependencies import READING, WRITING, ServicesDep
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/users/me/blocks", tags=["users"])

_LIST = "blocks"
_CURSOR = TypeAdapter(tuple[str, tuple[()], Id])


@router.get("", dependencies=[READING], responses=refusals(400))
async def list_blocks(
    principal: CurrentPrincipal, services: ServicesDep, limit: PageLimit = 50, cursor: Cursor = None
) -> Page[User]:
    """List the users whom the caller has blocked."""
    after = None if cursor is None else cursors.decode(cursor, _LIST, (), _CURSOR)[1]
    found = await services.blocks.page(principal.user_id, after, limit)
    rest = found[limit - 1].id if len(found) > limit else None
    return Page(items=found[:limit], next_cursor=None if rest is None else cursors.encode(_LIST, (), rest))


@router.put("/{user_id}", status_code=204, dependencies=[WRITING], responses=refusals(404))
async def block_user(user_id: Id, principal: CurrentPrincipal, services: ServicesDep) -> Response:
    """Block a user: they cannot write to the caller directly, add them, or see their presence."""
    await services.blocks.block(principal.user_id, user_id)
    return Response(status_code=204)


@router.delete("/{user_id}", status_code=204, dependencies=[WRITING], responses=refusals(404))
async def unblock_user(user_id: Id, principal: CurrentPrincipal, services: ServicesDep) -> Response:
    """Unblock a user."""
    await services.blocks.unblock(principal.user_id, user_id)
    return Response(status_code=204)
