"""Catch up with changes."""

import orjson
from fastapi import APIRouter, Response
from pydantic import Field
from synctalk_contracts.base import Request
from synctalk_contracts.ids import Id, Seq
from synctalk_contracts.models import SyncAnswer
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_api.routes.dependencies import READING, ServicesDep
from synctalk_api.routes.shapes import refusals

router = APIRouter(prefix="/v1/sync", tags=["sync"])


class Cursors(Request):
    cursors: dict[Id, Seq] = Field(max_length=100)


@router.post("", dependencies=[READING], response_model=SyncAnswer, responses=refusals(400))
async def catch_up(asked: Cursors, principal: CurrentPrincipal, services: ServicesDep) -> Response:
    """List what changed in these conversations after the given `change_seq`s."""
    return encoded(await services.sync.changes(principal.user_id, asked.cursors))


def encoded(answer: SyncAnswer) -> Response:
    """Encode the answer; each state has the fields of its form and no others, and what is in them is whole."""
    states = {
        conversation_id: state.model_dump(mode="json", include=state.model_fields_set)
        for conversation_id, state in answer.conversations.items()
    }
    return Response(orjson.dumps({"conversations": states}), media_type="application/json")
