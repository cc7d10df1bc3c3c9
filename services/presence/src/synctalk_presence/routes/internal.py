"""`/internal/presence`: gateways report leases and ask for their sockets, the notifier asks who needs no push.

Unknown fields are ignored: the caller may be newer.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import ActiveUsers, Ids, LeaseReport, PresenceQuestion, PresenceSnapshot
from synctalk_contracts.sockets import PresenceSet
from synctalk_runtime.errors import InvalidError, MalformedError
from synctalk_runtime.internal import require_internal

from synctalk_presence.routes.dependencies import ServicesDep

C = TypeVar("C", bound=Contract)

MAX_SNAPSHOT_IDS = 200
MAX_ACTIVE_IDS = 1000

router = APIRouter(
    prefix="/internal/presence", dependencies=[Depends(require_internal)], include_in_schema=False, tags=["internal"]
)


def _body(model: type[C]) -> Callable[[Request], Awaitable[C]]:
    async def read(request: Request) -> C:
        try:
            return model.from_bytes(await request.body())
        except ValidationError as error:
            if error.errors()[0]["type"] == "json_invalid":
                raise MalformedError from error
            raise InvalidError.from_validation(error) from error

    return read


def _bounded(field: str, count: int, bound: int) -> None:
    if count > bound:
        raise InvalidError.of(field, f"must have at most {bound} items")


@router.post("/leases", status_code=204, summary="Report a gateway's open and closed connections")
async def post_leases(services: ServicesDep, given: Annotated[LeaseReport, Depends(_body(LeaseReport))]) -> Response:
    _bounded("held", len(given.held) + len(given.released), services.max_leases_per_report)
    await services.writing.report(given)
    return Response(status_code=204)


@router.post("/snapshot", summary="Get the presence of users, as visible to a user")
async def post_snapshot(
    services: ServicesDep, question: Annotated[PresenceQuestion, Depends(_body(PresenceQuestion))]
) -> PresenceSnapshot:
    _bounded("user_ids", len(question.user_ids), MAX_SNAPSHOT_IDS)
    return await services.reading.snapshot(question.asker_id, question.user_ids)


@router.post("/active", summary="List which of these users need no push")
async def post_active(services: ServicesDep, asked: Annotated[Ids, Depends(_body(Ids))]) -> ActiveUsers:
    _bounded("ids", len(asked.ids), MAX_ACTIVE_IDS)
    return await services.reading.active(asked.ids)


@router.put("/{user_id}", status_code=204, summary="Set a user's presence, as requested over a socket")
async def put_presence(user_id: Id, services: ServicesDep, wanted: PresenceSet) -> Response:
    await services.writing.set(user_id, wanted)
    return Response(status_code=204)
