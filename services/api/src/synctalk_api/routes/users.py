"""Users: the own profile, others by id or name."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter, ValidationError
from synctalk_contracts.base import Request
from synctalk_contracts.ids import Id
from synctalk_contracts.models import ServerUser, User
from synctalk_contracts.text import AvatarUrl, Name, Text
from synctalk_runtime import cursors
from synctalk_runtime.errors import ForbiddenError, InvalidError, NotFoundError
from synctalk_runtime.tokens import CurrentPrincipal, Principal

from synctalk_api.actions.users import Users
from synctalk_api.routes.callers import ReaderOfUsers
from synctalk_api.routes.dependencies import CHANGING_PROFILE, READING, WRITING, ServicesDep
from synctalk_api.routes.shapes import Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/users", tags=["users"])

MAX_IDS = 100
_IDS = TypeAdapter(Annotated[list[Id], Field(max_length=MAX_IDS)])
_LIST = "users"
_CURSOR = TypeAdapter(tuple[str, tuple[Annotated[Text, Field(min_length=1, max_length=64)]], tuple[Text, Id]])


class ProfileChange(Request):
    """Omitted fields keep their value; `avatar_url: null` removes the picture."""

    display_name: Name = ""
    avatar_url: AvatarUrl | None = None


@router.get("/me", dependencies=[READING], responses=refusals(404))
async def get_me(principal: CurrentPrincipal, services: ServicesDep) -> User:
    """Get the caller's profile."""
    return await services.users.get(principal.user_id)


@router.patch("/me", dependencies=[WRITING, CHANGING_PROFILE], responses=refusals(400, 404))
async def update_me(change: ProfileChange, principal: CurrentPrincipal, services: ServicesDep) -> User:
    """Change the caller's name and picture."""
    return await services.users.update_profile(principal.user_id, change.model_dump(exclude_unset=True))


@router.get("", responses=refusals(400, 403))
async def find_users(
    principal: ReaderOfUsers,
    services: ServicesDep,
    search: Annotated[Text | None, Query(min_length=1, max_length=64)] = None,
    ids: Annotated[str | None, Query(max_length=MAX_IDS * 37)] = None,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[User] | Page[ServerUser]:
    """Find users by the start of their name, or by id; guests by the ids of co-members only. Others are left out."""
    if ids is not None and search is None and cursor is None:
        return await _shown(await _by_ids(services.users, principal, ids), principal, services)
    if principal is not None and principal.is_guest:
        raise ForbiddenError("A guest can't search for users.")
    position = None
    if cursor is not None and ids is None:
        asked, position = cursors.decode(cursor, _LIST, (search,), _CURSOR)
        (search,) = asked
    if search is None or ids is not None:
        raise InvalidError.of("search", "either search or ids is required, not both")
    found = await services.users.search(search, position, limit)
    rest = found[limit - 1][0] if len(found) > limit else None
    page = Page[User](
        items=[user for _, user in found[:limit]],
        next_cursor=None if rest is None else cursors.encode(_LIST, (search,), list(rest)),
    )
    return await _shown(page, principal, services)


async def _shown(page: Page[User], principal: Principal | None, services: ServicesDep) -> Page[User] | Page[ServerUser]:
    """Return the users as the caller sees them."""
    if principal is not None:
        return page
    shown = await services.host_users.shown(page.items)
    return Page[ServerUser](items=list(shown.values()), next_cursor=page.next_cursor)


async def _by_ids(users: Users, principal: Principal | None, ids: str) -> Page[User]:
    try:
        wanted = _IDS.validate_python([part for part in ids.split(",") if part])
    except ValidationError as error:
        raise InvalidError.of("ids", f"must be at most {MAX_IDS} ids, separated by commas") from error
    shown = wanted
    if principal is not None and principal.is_guest:
        shown = await users.related(principal.user_id, wanted)
    found = await users.registered(shown)
    return Page[User](items=[found[user_id] for user_id in dict.fromkeys(wanted) if user_id in found], next_cursor=None)


@router.get("/{user_id}", responses=refusals(404))
async def get_user(user_id: Id, principal: ReaderOfUsers, services: ServicesDep) -> User | ServerUser:
    """Get a user. A guest sees those who share a conversation with them."""
    if principal is None:
        user = await services.users.get(user_id)
        return (await services.host_users.shown([user]))[user.id]
    if principal.is_guest and not await services.users.related(principal.user_id, [user_id]):
        raise NotFoundError
    return await services.users.get(user_id)
