"""Catching up."""

from fastapi import APIRouter, Response
from pydantic import Field
from synctalk_contracts.base import Request
from synctalk_contracts.ids import Id, Seq
from synctalk_contracts.models import SyncAnswer
from synctalk_runtime.tokens import CurrentPerson

from synctalk_api.actions import sync
from synctalk_api.parts import TheParts
from synctalk_api.routes.shapes import READING, refusals

router = APIRouter(prefix="/v1/sync", tags=["sync"])


class Cursors(Request):
    cursors: dict[Id, Seq] = Field(max_length=100)


@router.post("", dependencies=[READING], response_model=SyncAnswer, responses=refusals(400))
async def catch_up(asked: Cursors, person: CurrentPerson, parts: TheParts) -> Response:
    """What changed in these conversations after the given `change_seq`s."""
    return answered(await sync.sync(parts, person.user_id, asked.cursors))


def answered(answer: SyncAnswer) -> Response:
    """Each state has the fields of its form and no others."""
    return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")
