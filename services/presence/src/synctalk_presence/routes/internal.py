"""What the neighbours ask and report: gateways their leases and their sockets' questions, notifier who needs no push.

Read tolerantly: a neighbour may be newer and say more.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from synctalk_contracts.base import Contract
from synctalk_contracts.ids import Id
from synctalk_contracts.internal import Ids, LeaseReport, PresenceQuestion, PresenceSnapshot
from synctalk_contracts.sockets import PresenceSet
from synctalk_runtime.errors import InvalidError, MalformedError
from synctalk_runtime.internal import require_internal

from synctalk_presence.actions import look, status
from synctalk_presence.actions.report import report
from synctalk_presence.parts import ThisService

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
        raise InvalidError.of(field, f"at most {bound}")


@router.post("/leases", status_code=204, summary="What a gateway holds and what it has closed")
async def post_leases(parts: ThisService, given: Annotated[LeaseReport, Depends(_body(LeaseReport))]) -> Response:
    _bounded("held", len(given.held) + len(given.released), parts.settings.max_leases_per_report)
    await report(parts, given)
    return Response(status_code=204)


@router.post("/snapshot", summary="How these people are, as the asker may see it")
async def post_snapshot(
    parts: ThisService, question: Annotated[PresenceQuestion, Depends(_body(PresenceQuestion))]
) -> PresenceSnapshot:
    _bounded("user_ids", len(question.user_ids), MAX_SNAPSHOT_IDS)
    return await look.snapshot(parts, question.asker_id, question.user_ids)


@router.post("/active", summary="Who of these is connected and active")
async def post_active(parts: ThisService, asked: Annotated[Ids, Depends(_body(Ids))]) -> Ids:
    _bounded("ids", len(asked.ids), MAX_ACTIVE_IDS)
    return Ids(ids=await look.active(parts, asked.ids))


@router.put("/{user_id}", status_code=204, summary="Set a person's presence, as their socket asked")
async def put_presence(user_id: Id, parts: ThisService, wanted: PresenceSet) -> Response:
    await status.put(parts, user_id, wanted)
    return Response(status_code=204)
