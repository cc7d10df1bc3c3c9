"""`/v1/notification-settings`: what the caller wants to be told of a conversation."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BeforeValidator
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Id
from synctalk_contracts.models import NotificationSettings
from synctalk_runtime.tokens import CurrentPerson

from synctalk_notifier.actions import settings
from synctalk_notifier.kinds import Level
from synctalk_notifier.routes.dependencies import BODY, TheParts, refusals

router = APIRouter(prefix="/v1/notification-settings", tags=["notification settings"])

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _rfc_3339(value: object) -> object:
    """Text to a time in UTC; anything else is left to be refused as of the wrong type."""
    if not isinstance(value, str):
        return value
    try:
        if not _RFC_3339.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be a time as RFC 3339 has it, like 2026-01-31T12:00:00Z") from None


class PutSettings(Request):
    level: Level
    muted_until: Annotated[datetime, BeforeValidator(_rfc_3339)] | None = None
    """Until then nothing is pushed; in the past or null: not muted."""


@router.put(
    "/{conversation_id}",
    status_code=204,
    summary="What to be told of the conversation",
    responses=refusals(*BODY, ErrorCode.NOT_FOUND),
)
async def put_settings(conversation_id: Id, body: PutSettings, person: CurrentPerson, parts: TheParts) -> None:
    await settings.put(parts, person, conversation_id, body.level, body.muted_until)


@router.get("/{conversation_id}", summary="The caller's settings", responses=refusals(ErrorCode.NOT_FOUND))
async def get_settings(conversation_id: Id, person: CurrentPerson, parts: TheParts) -> NotificationSettings:
    """`{level: "all", muted_until: null}` where none were put."""
    return await settings.get(parts, person, conversation_id)
