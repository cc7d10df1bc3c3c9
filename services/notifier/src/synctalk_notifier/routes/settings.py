"""`/v1/notification-settings`: the caller's settings for all conversations and for one."""

import re
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import APIRouter, Depends, Path
from pydantic import AfterValidator, Field, field_validator
from synctalk_contracts.base import Request
from synctalk_contracts.errors import ErrorCode
from synctalk_contracts.ids import EXTERNAL, MAX_EXTERNAL_ID_CHARS, GivenTime, is_id
from synctalk_contracts.models import AllNotificationSettings, NotificationSettings
from synctalk_runtime.openapi import refusals
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_notifier.kinds import Content, Level, SettingsChanges
from synctalk_notifier.routes.dependencies import ALWAYS, CurrentServices, limit_settings

router = APIRouter(
    prefix="/v1/notification-settings", tags=["notification settings"], dependencies=[Depends(limit_settings)]
)

_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}", re.ASCII)


def _time_zone(name: str) -> str:
    if not _ZONE.fullmatch(name) or name.startswith(("posix/", "right/")) or name in ("localtime", "posixrules"):
        raise ValueError("must be the name of an IANA time zone, such as Europe/Berlin")
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ValueError("must be the name of an IANA time zone, such as Europe/Berlin") from None


Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5)]


class GivenQuietHours(Request):
    from_: Clock = Field(alias="from")
    to: Clock
    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_time_zone)]


class PutGlobalSettings(Request):
    """Fields that are left out stay as they are."""

    quiet_hours: GivenQuietHours | None = None
    """No pushes every day from `from` until before `to`; null: at no time."""
    content: Content | None = None
    level: Level | None = None

    @field_validator("content", "level")
    @classmethod
    def _left_out_or_given(cls, value: object) -> object:
        if value is None:
            raise ValueError("must not be null; omit it to keep the current value")
        return value

    def changes(self) -> SettingsChanges:
        hours = self.quiet_hours
        return SettingsChanges(
            level=self.level,
            content=self.content,
            sets_quiet_hours="quiet_hours" in self.model_fields_set,
            quiet_from=hours.from_ if hours else None,
            quiet_to=hours.to if hours else None,
            time_zone=hours.time_zone if hours else None,
        )


@router.put(
    "",
    status_code=204,
    summary="Set the caller's notification settings for all conversations",
    responses=refusals(ErrorCode.MALFORMED, ErrorCode.TOO_LARGE, *ALWAYS),
)
async def put_global_settings(body: PutGlobalSettings, principal: CurrentPrincipal, services: CurrentServices) -> None:
    await services.global_settings.put(principal, body.changes())


@router.get(
    "",
    summary="Get the caller's notification settings for all conversations, and those of single ones that differ",
    responses=refusals(*ALWAYS),
)
async def get_global_settings(principal: CurrentPrincipal, services: CurrentServices) -> AllNotificationSettings:
    return await services.global_settings.get(principal)


MAX_REFERENCE_CHARS = len(EXTERNAL) + 4 * MAX_EXTERNAL_ID_CHARS
"""An external id may be longer before it is in NFC."""


def _reference(text: str) -> str:
    if text.startswith(EXTERNAL):
        return text
    if not is_id(text):
        raise ValueError("must be an id, or external: and what the host app calls the conversation")
    return text.lower()


class PutSettings(Request):
    level: Level | Literal["default"]
    """`default`: that for all conversations; what is muted stays so unless `muted_until` is given."""
    muted_until: GivenTime | None = None
    """No pushes until then; null or a time in the past: not muted."""


async def _referred(
    conversation_id: Annotated[
        str,
        Path(
            description="The conversation's id, or `external:` and what the host app calls it, percent-encoded.",
            max_length=MAX_REFERENCE_CHARS,
        ),
        AfterValidator(_reference),
    ],
    principal: CurrentPrincipal,
    services: CurrentServices,
) -> str:
    return await services.settings.referred(conversation_id)


ConversationId = Annotated[str, Depends(_referred)]


@router.put(
    "/{conversation_id:path}",
    status_code=204,
    summary="Set the caller's notification settings for a conversation",
    responses=refusals(ErrorCode.MALFORMED, ErrorCode.TOO_LARGE, ErrorCode.NOT_FOUND, *ALWAYS),
)
async def put_settings(
    conversation_id: ConversationId, body: PutSettings, principal: CurrentPrincipal, services: CurrentServices
) -> None:
    if body.level == "default":
        sets_mute = "muted_until" in body.model_fields_set
        await services.settings.remove_level(principal, conversation_id, body.muted_until, sets_mute=sets_mute)
    else:
        await services.settings.put(principal, conversation_id, body.level, body.muted_until)


@router.get(
    "/{conversation_id:path}",
    summary="Get the caller's notification settings for a conversation",
    responses=refusals(ErrorCode.NOT_FOUND, *ALWAYS),
)
async def get_settings(
    conversation_id: ConversationId, principal: CurrentPrincipal, services: CurrentServices
) -> NotificationSettings:
    """The level in force: the caller's own here, or that for all conversations."""
    return await services.settings.get(principal, conversation_id)
