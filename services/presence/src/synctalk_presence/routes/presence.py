"""`/v1/presence`: read the presence of users, set one's own."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter, ValidationError
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import Presences
from synctalk_contracts.models import PresenceSettings
from synctalk_contracts.sockets import PresenceSet
from synctalk_runtime.errors import InvalidError
from synctalk_runtime.openapi import BEARER, refusals
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_presence.routes.dependencies import ServicesDep

MAX_IDS = 100
_ID: TypeAdapter[str] = TypeAdapter(Id)

router = APIRouter(
    prefix="/v1/presence",
    tags=["presence"],
    responses=refusals(ErrorCode.MALFORMED, *BEARER, ErrorCode.INVALID, ErrorCode.RATE_LIMITED, describe=None),
)


@router.get("", summary="Get the presence of users, as visible to the caller")
async def get_presence(
    principal: CurrentPrincipal,
    services: ServicesDep,
    user_ids: Annotated[str, Query(description="1 to 100 ids separated by commas; the result has the same order.")],
) -> Presences:
    return Presences(items=await services.reading.read(principal.user_id, _ids(user_ids)))


@router.get("/me", summary="Get what the caller has chosen: status, its text, and who sees their last seen time")
async def get_own(principal: CurrentPrincipal, services: ServicesDep) -> PresenceSettings:
    return await services.reading.own_settings(principal.user_id)


@router.put(
    "/me", status_code=204, summary="Set the caller's status, its text, and the visibility of their last seen time"
)
async def put_presence(principal: CurrentPrincipal, services: ServicesDep, wanted: PresenceSet) -> Response:
    await services.writing.set(principal.user_id, wanted)
    return Response(status_code=204)


def _ids(text: str) -> list[str]:
    given = text.split(",", MAX_IDS)
    if len(given) > MAX_IDS:
        raise InvalidError.of("user_ids", f"must have at most {MAX_IDS} ids")
    try:
        return [_ID.validate_python(user_id) for user_id in given]
    except ValidationError as error:
        raise InvalidError.of("user_ids", "must be ids separated by commas") from error
