"""What clients ask by HTTP: how others are, and what one says of oneself."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter, ValidationError
from synctalk_contracts.errors import ErrorBody
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import Presences
from synctalk_contracts.sockets import PresenceSet
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.tokens import CurrentPerson

from synctalk_presence.actions import look, status
from synctalk_presence.parts import ThisService

MAX_IDS = 100
_ID: TypeAdapter[str] = TypeAdapter(Id)

ERRORS: dict[int | str, dict[str, Any]] = {code: {"model": ErrorBody} for code in (400, 401, 422, 429, 503)}

router = APIRouter(prefix="/v1/presence", tags=["presence"], responses=ERRORS)


@router.get("", summary="How these people are, as the caller may see it")
async def get_presence(
    person: CurrentPerson,
    parts: ThisService,
    user_ids: Annotated[str, Query(description="1 to 100 ids, parted by commas; answered in this order.")],
) -> Presences:
    return Presences(items=await look.look(parts, person.user_id, _ids(user_ids)))


@router.put("/me", status_code=204, summary="Set one's status, its text, and whether one's last seen shows")
async def put_presence(person: CurrentPerson, parts: ThisService, wanted: PresenceSet) -> Response:
    await status.put_own(parts, person.user_id, wanted)
    return Response(status_code=204)


def _ids(text: str) -> list[str]:
    given = text.split(",", MAX_IDS)
    if len(given) > MAX_IDS:
        raise InvalidError.of("user_ids", f"at most {MAX_IDS} ids")
    try:
        return [_ID.validate_python(user_id) for user_id in given]
    except ValidationError as error:
        raise InvalidError.of("user_ids", "must be ids, parted by commas") from error
