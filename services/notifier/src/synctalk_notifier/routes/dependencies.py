"""The dependencies of the endpoints: the services passed in, the limits of a user, and the errors of each."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from synctalk_contracts.errors import ErrorCode
from synctalk_runtime.limits import Limit, Limiter
from synctalk_runtime.openapi import BEARER
from synctalk_runtime.service import injected
from synctalk_runtime.tokens import CurrentPrincipal

from synctalk_notifier.actions.devices import Devices
from synctalk_notifier.actions.feed import Feed
from synctalk_notifier.actions.settings import ConversationSettings, GlobalSettings
from synctalk_notifier.actions.webhooks import Webhooks
from synctalk_notifier.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The services that endpoints call; built in `main.py`."""

    devices: Devices
    global_settings: GlobalSettings
    settings: ConversationSettings
    feed: Feed
    webhooks: Webhooks
    vapid_key: str | None
    limiter: Limiter
    devices_limit: Limit
    settings_limit: Limit
    events_limit: Limit

    @classmethod
    def of(
        cls,
        settings: Settings,
        devices: Devices,
        global_settings: GlobalSettings,
        conversation_settings: ConversationSettings,
        feed: Feed,
        webhooks: Webhooks,
        vapid_key: str | None,
        limiter: Limiter,
    ) -> "Services":
        return cls(
            devices,
            global_settings,
            conversation_settings,
            feed,
            webhooks,
            vapid_key,
            limiter,
            Limit("devices", settings.devices_per_s, settings.devices_burst),
            Limit("notification_settings", settings.notification_settings_per_s, settings.notification_settings_burst),
            Limit("server_events", settings.server_events_per_s, settings.server_events_burst),
        )


CurrentServices = Annotated[Services, Depends(injected)]


async def limit_devices(principal: CurrentPrincipal, services: CurrentServices) -> None:
    """Take a token from the user's bucket. Raises RateLimitedError."""
    await services.limiter.take(services.devices_limit, principal.user_id)


async def limit_settings(principal: CurrentPrincipal, services: CurrentServices) -> None:
    """Take a token from the user's bucket. Raises RateLimitedError."""
    await services.limiter.take(services.settings_limit, principal.user_id)


ALWAYS = (*BEARER, ErrorCode.INVALID, ErrorCode.RATE_LIMITED)
"""The errors of every endpoint."""
