"""People: oneself, others by id, by name."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AfterValidator, Field, TypeAdapter, ValidationError
from synctalk_contracts.base import Request
from synctalk_contracts.ids import Id, Name, Text
from synctalk_contracts.models import User
from synctalk_runtime import cursors
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.tokens import CurrentPerson

from synctalk_api.actions import users
from synctalk_api.parts import Parts, TheParts
from synctalk_api.routes.shapes import READING, WRITING, Cursor, Page, PageLimit, refusals

router = APIRouter(prefix="/v1/users", tags=["users"])

MAX_IDS = 100
_IDS = TypeAdapter(Annotated[list[Id], Field(max_length=MAX_IDS)])
_POSITION = TypeAdapter(tuple[Text, Id])


def _https_only(value: str) -> str:
    if not value.startswith("https://") or any(c.isspace() or not c.isprintable() for c in value):
        raise ValueError("must be an https:// address")
    return value


class ProfileChange(Request):
    """What is left out stays; `avatar_url: null` takes the picture away."""

    display_name: Name = ""
    avatar_url: Annotated[Text, Field(min_length=9, max_length=2048), AfterValidator(_https_only)] | None = None


@router.get("/me", dependencies=[READING], responses=refusals(404))
async def get_me(person: CurrentPerson, parts: TheParts) -> User:
    """Oneself."""
    return await users.get(parts, person.user_id)


@router.patch("/me", dependencies=[WRITING], responses=refusals(400, 404))
async def update_me(change: ProfileChange, person: CurrentPerson, parts: TheParts) -> User:
    """How one is called and pictured."""
    return await users.update_profile(parts, person.user_id, change.model_dump(exclude_unset=True))


@router.get("", dependencies=[READING], responses=refusals(400))
async def find_users(
    _: CurrentPerson,
    parts: TheParts,
    search: Annotated[Text | None, Query(min_length=1, max_length=64)] = None,
    ids: Annotated[str | None, Query(max_length=MAX_IDS * 37)] = None,
    limit: PageLimit = 50,
    cursor: Cursor = None,
) -> Page[User]:
    """People by the beginning of their name, or by ids; unknown ids are left out."""
    if (search is None) == (ids is None):
        raise InvalidError.of("search", "give either search or ids")
    if ids is not None:
        return await _by_ids(parts, ids)
    assert search is not None
    position = None if cursor is None else cursors.decode(cursor, _POSITION)
    found = await users.search(parts, search, position, limit)
    rest = found[limit - 1][0] if len(found) > limit else None
    return Page(
        items=[user for _, user in found[:limit]], next_cursor=None if rest is None else cursors.encode(list(rest))
    )


async def _by_ids(parts: Parts, ids: str) -> Page[User]:
    try:
        wanted = _IDS.validate_python([part for part in ids.split(",") if part])
    except ValidationError as error:
        raise InvalidError.of("ids", f"{MAX_IDS} ids at most, parted by commas") from error
    found = await users.known(parts, wanted)
    return Page(items=[found[user_id] for user_id in dict.fromkeys(wanted) if user_id in found], next_cursor=None)


@router.get("/{user_id}", dependencies=[READING], responses=refusals(404))
async def get_user(user_id: Id, _: CurrentPerson, parts: TheParts) -> User:
    """One person."""
    return await users.get(parts, user_id)
