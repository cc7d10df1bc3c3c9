"""`/v1/notification-settings`: the caller's settings for a conversation."""

import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BeforeValidator
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import Id
from synctalk_contracts.models import NotificationSettings
from synctalk_runtime.openapi import refusals
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_notifier.kinds import Level
from synctalk_notifier.routes.dependencies import ALWAYS, CurrentServices, limit_settings

router = APIRouter(
    prefix="/v1/notification-settings", tags=["notification settings"], dependencies=[Depends(limit_settings)]
)

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _rfc_3339(value: object) -> object:
    """Parse text to a time in UTC; leave anything else to be refused as of the wrong type."""
    if not isinstance(value, str):
        return value
    try:
        if not _RFC_3339.fullmatch(value):
            raise ValueError
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("must be an RFC 3339 time, such as 2026-01-31T12:00:00Z") from None


class PutSettings(Request):
    level: Level
    muted_until: Annotated[datetime, BeforeValidator(_rfc_3339)] | None = None
    """No pushes until then; null or a time in the past: not muted."""


@router.put(
    "/{conversation_id}",
    status_code=204,
    summary="Set the caller's notification settings for a conversation",
    responses=refusals(ErrorCode.MALFORMED, ErrorCode.TOO_LARGE, ErrorCode.NOT_FOUND, *ALWAYS),
)
async def put_settings(
    conversation_id: Id, body: PutSettings, principal: CurrentPrincipal, services: CurrentServices
) -> None:
    await services.settings.put(principal, conversation_id, body.level, body.muted_until)


@router.get(
    "/{conversation_id}",
    summary="Get the caller's notification settings for a conversation",
    responses=refusals(ErrorCode.NOT_FOUND, *ALWAYS),
)
async def get_settings(
    conversation_id: Id, principal: CurrentPrincipal, services: CurrentServices
) -> NotificationSettings:
    """Defaults to `{level: "all", muted_until: null}`."""
    return await services.settings.get(principal, conversation_id)
